"""Which built-in functions a module may call: those that the engine has and that are pure.

The engine accepts any name until it evaluates it, and `not http.send(...)` is then true; so a name
that is not listed here is refused when the module is loaded. Found by calling each function of
OPA's manual on regorus 0.13 (`tests/language/rego/test_builtins.py` does it again).
"""

from __future__ import annotations

ALLOWED = frozenset(
    """
    abs array.concat array.reverse array.slice base64.decode base64.encode base64.is_valid
    base64url.decode base64url.encode base64url.encode_no_pad bits.and bits.lsh bits.negate
    bits.or bits.rsh bits.xor ceil concat contains count endswith floor format_int glob.match
    glob.quote_meta graph.reachable graph.reachable_paths hex.decode hex.encode indexof
    indexof_n intersection is_array is_boolean is_null is_number is_object is_set is_string
    json.filter json.is_valid json.marshal json.marshal_with_options
    json.patch json.remove json.unmarshal json.verify_schema lower max min net.cidr_contains
    net.cidr_expand net.cidr_is_valid numbers.range numbers.range_step object.filter object.get
    object.keys object.remove object.subset object.union object.union_n print product
    regex.find_all_string_submatch_n regex.find_n regex.is_valid regex.match regex.replace
    regex.split regex.template_match replace round semver.compare semver.is_valid sort split
    sprintf startswith strings.any_prefix_match strings.any_suffix_match
    strings.replace_n strings.reverse substring sum time.add_date time.clock time.date time.diff
    time.format time.parse_duration_ns time.parse_ns time.parse_rfc3339_ns time.weekday
    to_number trace trim trim_left trim_prefix trim_right trim_space trim_suffix type_name union
    units.parse units.parse_bytes upper urlquery.decode urlquery.decode_object urlquery.encode
    urlquery.encode_object uuid.parse walk yaml.is_valid yaml.marshal yaml.unmarshal
    """.split()  # noqa: SIM905 - names are read more easily so
)
"""The functions that a module may call."""

DIFFERENT = {
    "json.match_schema": "write `json.verify_schema`, or test the parts",
    "strings.count": "write `count(indexof_n(text, part))` if overlaps count",
}
"""Functions whose results are others than OPA's (its own cases say so), and what to do instead."""

IMPURE = {
    "http.send": "a decision opens no connections; give the fact as `context`",
    "net.lookup_ip_addr": "a decision opens no connections; give the fact as `context`",
    "opa.runtime": "a decision reads no environment; give the fact as `context`",
    "rand.intn": "a decision is the same each time",
    "time.now_ns": "write `time.parse_rfc3339_ns(input.now)`, the time of the decision",
    "uuid.rfc4122": "a decision is the same each time",
}
"""Functions of OPA that reach beyond their arguments, and what to do instead."""

MISSING = frozenset(
    """
    all any array.flatten cast_array cast_boolean cast_null cast_object cast_set cast_string
    crypto.hmac.equal crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512
    crypto.md5 crypto.parse_private_keys crypto.sha1 crypto.sha256
    crypto.x509.parse_and_verify_certificates
    crypto.x509.parse_and_verify_certificates_with_options crypto.x509.parse_certificate_request
    crypto.x509.parse_certificates crypto.x509.parse_keypair crypto.x509.parse_rsa_private_key
    graphql.is_valid graphql.parse graphql.parse_and_verify graphql.parse_query
    graphql.parse_schema graphql.schema_is_valid io.jwt.decode io.jwt.decode_verify
    io.jwt.encode_sign io.jwt.encode_sign_raw io.jwt.verify_eddsa io.jwt.verify_es256
    io.jwt.verify_es384 io.jwt.verify_es512 io.jwt.verify_hs256 io.jwt.verify_hs384
    io.jwt.verify_hs512 io.jwt.verify_ps256 io.jwt.verify_ps384 io.jwt.verify_ps512
    io.jwt.verify_rs256 io.jwt.verify_rs384 io.jwt.verify_rs512 net.cidr_contains_matches
    net.cidr_intersects net.cidr_merge net.cidr_overlap providers.aws.sign_req re_match
    regex.globs_match rego.metadata.chain rego.metadata.rule rego.parse_module set_diff
    strings.render_template
    """.split()  # noqa: SIM905 - names are read more easily so
)
"""Functions of OPA that the engine lacks."""


def refusal(name: str) -> str:
    """Why a module may not call the built-in function `name`; "" if it may."""
    if name in ALLOWED:
        return ""
    if name in IMPURE:
        return f"`{name}` can't be used here: {IMPURE[name]}"
    if name in DIFFERENT:
        return f"`{name}` is evaluated otherwise than by OPA: {DIFFERENT[name]}"
    if name in MISSING:
        return f"`{name}` is a function of OPA that the embedded engine lacks"
    return f"unknown function `{name}`"
