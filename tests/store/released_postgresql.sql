CREATE FUNCTION approval_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'what was decided is not rewritten'; END $$;
CREATE TABLE approval_attempts (
    number bigint NOT NULL,
    agent text NOT NULL,
    at_ns bigint NOT NULL
);
CREATE TABLE approval_changes (
    number bigint NOT NULL,
    request_id text NOT NULL,
    event text NOT NULL,
    actor text NOT NULL,
    at_ns bigint NOT NULL
);
CREATE TABLE approval_cursors (
    name text NOT NULL,
    number bigint NOT NULL
);
CREATE TABLE approval_deliveries (
    channel text NOT NULL,
    notice text NOT NULL,
    number bigint NOT NULL,
    request_id text NOT NULL,
    event text NOT NULL,
    actor text NOT NULL,
    at_ns bigint NOT NULL,
    due_ns bigint NOT NULL,
    attempts integer NOT NULL,
    given_up_ns bigint NOT NULL,
    error text NOT NULL
);
CREATE TABLE approval_migrations (
    version integer NOT NULL,
    applied_ns bigint NOT NULL
);
CREATE TABLE approval_nonces (
    channel text NOT NULL,
    nonce text NOT NULL,
    until_ns bigint NOT NULL
);
CREATE TABLE approval_requests (
    id text NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    tool text NOT NULL,
    agent text NOT NULL,
    session text,
    digest text NOT NULL,
    action_digest text NOT NULL,
    body text NOT NULL,
    created_ns bigint NOT NULL,
    expires_ns bigint NOT NULL,
    decided_ns bigint NOT NULL,
    used_ns bigint NOT NULL,
    uses integer NOT NULL,
    ended_by text NOT NULL,
    reason text NOT NULL
);
CREATE TABLE approval_rules (
    request_id text NOT NULL,
    rule text NOT NULL
);
CREATE TABLE approval_state (
    id integer NOT NULL,
    latest_ns bigint NOT NULL,
    number bigint NOT NULL
);
CREATE TABLE approval_suspensions (
    agent text NOT NULL,
    since_ns bigint NOT NULL,
    reason text NOT NULL
);
CREATE TABLE approval_views (
    request_id text NOT NULL,
    account text NOT NULL,
    first_ns bigint NOT NULL
);
CREATE TABLE approval_votes (
    request_id text NOT NULL,
    voter text NOT NULL,
    number bigint NOT NULL,
    digest text NOT NULL,
    content text NOT NULL,
    outcome text NOT NULL,
    comment text NOT NULL,
    cast_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    key text NOT NULL,
    signature bytea NOT NULL
);
CREATE TABLE budget_accounts (
    account text NOT NULL,
    rule text NOT NULL,
    spent bigint NOT NULL,
    period bigint NOT NULL,
    latest_ns bigint NOT NULL,
    ends_ns bigint NOT NULL
);
CREATE TABLE budget_entries (
    number bigint NOT NULL,
    account text NOT NULL,
    at_ns bigint NOT NULL,
    amount bigint NOT NULL
);
CREATE SEQUENCE budget_entries_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE budget_entries_number_seq OWNED BY budget_entries.number;
CREATE TABLE state_keys (
    name text NOT NULL,
    secret bytea NOT NULL
);
CREATE TABLE state_session_events (
    session text NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    at_ns bigint NOT NULL
);
CREATE TABLE state_stops (
    number bigint NOT NULL,
    name text NOT NULL,
    reason text NOT NULL,
    stopped_by text NOT NULL,
    since_ns bigint NOT NULL,
    ended_ns bigint NOT NULL,
    ended_by text NOT NULL
);
CREATE TABLE state_tokens (
    nonce text NOT NULL,
    expires_ns bigint NOT NULL
);
CREATE TABLE state_versions (
    version integer NOT NULL,
    applied_ns bigint NOT NULL
);
ALTER TABLE ONLY budget_entries ALTER COLUMN number SET DEFAULT nextval('budget_entries_number_seq'::regclass);
INSERT INTO approval_changes VALUES (2, '65b0df89cfea4d61e2cd', 'opened', 'agent-7', 1800000000000000000);
INSERT INTO approval_changes VALUES (4, '65b0df89cfea4d61e2cd', 'voted', 'fay@example.com', 1800000000000000000);
INSERT INTO approval_changes VALUES (5, '65b0df89cfea4d61e2cd', 'approved', 'fay@example.com', 1800000000000000000);
INSERT INTO approval_migrations VALUES (1, 1800000000000000000);
INSERT INTO approval_migrations VALUES (2, 1800000000000000000);
INSERT INTO approval_requests VALUES ('65b0df89cfea4d61e2cd', 1, 'approval', 'approved', 'payments.transfer', 'agent-7', 's-1', 'sha256:52a39c8e537b1c4841c43363e43a23f0748099c1c59e0c34f0e9085ee120725e', 'sha256:887f9a628fa96a27eca7259893009f8a666839dd13d8bc1d24f5342ce658a89d', '["map",["case",["map",["arguments",["map",["amount",["float","0x1.c200000000000p+9"]],["to","ACME"]]],["context",["map",["environment","prod"]]],["rules",["list",["map",["description",""],["message",""],["owner",""],["rule","pay/large"],["terms",["map",["groups",["list",["list",["list","finance"],1]]],["remember_ns",null],["separate_from",["list"]],["then",["list"]],["timeout_ns",1800000000000],["veto",true]]]]]],["session","s-1"],["subjects",["list",["map",["attributes",["map"]],["id","agent-7"],["on_behalf_of","dana@example.com"],["roles",["list","billing"]]]]],["tool","payments.transfer"]]],["created_ns",1800000000000000000],["environment",["map"]],["evidence",["map"]],["expires_ns",1800001800000000000],["kind","approval"],["labels",["list"]],["revision",""]]', 1800000000000000000, 1800001800000000000, 1800000000000000000, 0, 0, '', '');
INSERT INTO approval_rules VALUES ('65b0df89cfea4d61e2cd', 'pay/large');
INSERT INTO approval_state VALUES (1, 1800000000000000000, 7);
INSERT INTO approval_votes VALUES ('65b0df89cfea4d61e2cd', 'fay@example.com', 3, 'sha256:52a39c8e537b1c4841c43363e43a23f0748099c1c59e0c34f0e9085ee120725e', 'sha256:885cd635daea8fbef7560d44846bfce6ae0d594515e69ed951fbafd3d25bb22b', 'approve', '', 1800000000000000000, 0, '87a09eceeaef277a', '\x9cf67e0b9bfce87d2e0ce7e58ea65faedc81896fa549ee7ff1ef974ff47d76ae5eeccbf142e8abc8fa9de922fcb3b2ffa8c6f05e2c6b341726b4c6775d2bc40b');
INSERT INTO budget_accounts VALUES ('05d2ce423902ec32f7f723c332711f1db69bb7d650cbbec1bdf8b813c9f865cc', 'p/rolls', 2, 0, 1800000000000000000, 1800086400000000000);
INSERT INTO budget_accounts VALUES ('9905dfed2f729e35bbee557495d5e5175c37ab54c2e6fb2ae3bc0981cf11cd05', 'p/ever', 3, 0, 1800000000000000000, 0);
INSERT INTO budget_entries VALUES (1, '05d2ce423902ec32f7f723c332711f1db69bb7d650cbbec1bdf8b813c9f865cc', 1800000000000000000, 2);
INSERT INTO state_keys VALUES ('identity', '\x65a3125083a8580a9630d50aa4de90a3b6c210e857e61a89c20fa164480816b8');
INSERT INTO state_keys VALUES ('delegation', '\xb771c5d652d23b0a140f562d5460334064852941c88cb2654a683b12eb08d5fa');
INSERT INTO state_session_events VALUES ('s-1', 7, 'call', '{}', 1800000000000000000);
INSERT INTO state_stops VALUES (6, 'agent-7', 'wild', 'dana', 1800000000000000000, 0, '');
INSERT INTO state_versions VALUES (1, 1800000000000000000);
SELECT pg_catalog.setval('budget_entries_number_seq', 1, true);
ALTER TABLE ONLY approval_attempts
    ADD CONSTRAINT approval_attempts_pkey PRIMARY KEY (number);
ALTER TABLE ONLY approval_changes
    ADD CONSTRAINT approval_changes_pkey PRIMARY KEY (number);
ALTER TABLE ONLY approval_cursors
    ADD CONSTRAINT approval_cursors_pkey PRIMARY KEY (name);
ALTER TABLE ONLY approval_deliveries
    ADD CONSTRAINT approval_deliveries_pkey PRIMARY KEY (channel, notice);
ALTER TABLE ONLY approval_migrations
    ADD CONSTRAINT approval_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY approval_nonces
    ADD CONSTRAINT approval_nonces_pkey PRIMARY KEY (channel, nonce);
ALTER TABLE ONLY approval_requests
    ADD CONSTRAINT approval_requests_number_key UNIQUE (number);
ALTER TABLE ONLY approval_requests
    ADD CONSTRAINT approval_requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY approval_rules
    ADD CONSTRAINT approval_rules_pkey PRIMARY KEY (request_id, rule);
ALTER TABLE ONLY approval_state
    ADD CONSTRAINT approval_state_pkey PRIMARY KEY (id);
ALTER TABLE ONLY approval_suspensions
    ADD CONSTRAINT approval_suspensions_pkey PRIMARY KEY (agent);
ALTER TABLE ONLY approval_views
    ADD CONSTRAINT approval_views_pkey PRIMARY KEY (request_id, account);
ALTER TABLE ONLY approval_votes
    ADD CONSTRAINT approval_votes_pkey PRIMARY KEY (request_id, voter);
ALTER TABLE ONLY budget_accounts
    ADD CONSTRAINT budget_accounts_pkey PRIMARY KEY (account);
ALTER TABLE ONLY budget_entries
    ADD CONSTRAINT budget_entries_pkey PRIMARY KEY (number);
ALTER TABLE ONLY state_keys
    ADD CONSTRAINT state_keys_pkey PRIMARY KEY (name);
ALTER TABLE ONLY state_session_events
    ADD CONSTRAINT state_session_events_pkey PRIMARY KEY (session, number);
ALTER TABLE ONLY state_stops
    ADD CONSTRAINT state_stops_pkey PRIMARY KEY (number);
ALTER TABLE ONLY state_tokens
    ADD CONSTRAINT state_tokens_pkey PRIMARY KEY (nonce);
ALTER TABLE ONLY state_versions
    ADD CONSTRAINT state_versions_pkey PRIMARY KEY (version);
CREATE INDEX approval_attempts_agent ON approval_attempts USING btree (agent, at_ns);
CREATE INDEX approval_deliveries_due ON approval_deliveries USING btree (channel, given_up_ns, due_ns);
CREATE INDEX approval_nonces_until ON approval_nonces USING btree (until_ns);
CREATE INDEX approval_requests_action ON approval_requests USING btree (action_digest);
CREATE INDEX approval_requests_agent ON approval_requests USING btree (agent, status);
CREATE UNIQUE INDEX approval_requests_open ON approval_requests USING btree (digest) WHERE ((kind = 'approval'::text) AND (status = ANY (ARRAY['pending'::text, 'approved'::text])));
CREATE INDEX approval_requests_session ON approval_requests USING btree (session);
CREATE INDEX approval_requests_status ON approval_requests USING btree (status, expires_ns);
CREATE INDEX approval_rules_rule ON approval_rules USING btree (rule);
CREATE INDEX approval_votes_voter ON approval_votes USING btree (voter);
CREATE INDEX budget_accounts_ends ON budget_accounts USING btree (ends_ns);
CREATE INDEX budget_entries_account ON budget_entries USING btree (account, at_ns);
CREATE INDEX state_stops_present ON state_stops USING btree (ended_ns, name);
CREATE TRIGGER approval_changes_kept BEFORE DELETE OR TRUNCATE ON approval_changes FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_changes_kept_update BEFORE UPDATE ON approval_changes FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_requests_kept BEFORE DELETE OR TRUNCATE ON approval_requests FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_requests_kept_update BEFORE UPDATE ON approval_requests FOR EACH ROW WHEN (((old.id <> new.id) OR (old.number <> new.number) OR (old.kind <> new.kind) OR (old.tool <> new.tool) OR (old.agent <> new.agent) OR (old.digest <> new.digest) OR (old.body <> new.body) OR (old.action_digest <> new.action_digest) OR (old.created_ns <> new.created_ns) OR (old.expires_ns <> new.expires_ns) OR (old.uses > new.uses) OR ((old.used_ns <> 0) AND (old.used_ns <> new.used_ns)) OR ((old.decided_ns <> 0) AND (old.decided_ns <> new.decided_ns)) OR (NOT ((old.status = new.status) OR ((old.status = 'pending'::text) AND (new.status = ANY (ARRAY['approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text]))) OR ((old.status = 'approved'::text) AND (new.status = ANY (ARRAY['used'::text, 'expired'::text, 'cancelled'::text]))))))) EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_rules_kept BEFORE DELETE OR TRUNCATE ON approval_rules FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_rules_kept_update BEFORE UPDATE ON approval_rules FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_votes_kept BEFORE DELETE OR TRUNCATE ON approval_votes FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
CREATE TRIGGER approval_votes_kept_update BEFORE UPDATE ON approval_votes FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse();
