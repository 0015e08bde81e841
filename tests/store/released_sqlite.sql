BEGIN TRANSACTION;
CREATE TABLE approval_attempts (
    number BIGINT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
CREATE TABLE approval_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
INSERT INTO "approval_changes" VALUES(2,'bc8121c6e90a869244d5','opened','agent-7',1800000000000000000);
INSERT INTO "approval_changes" VALUES(4,'bc8121c6e90a869244d5','voted','fay@example.com',1800000000000000000);
INSERT INTO "approval_changes" VALUES(5,'bc8121c6e90a869244d5','approved','fay@example.com',1800000000000000000);
CREATE TABLE approval_cursors (
    name TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
CREATE TABLE approval_deliveries (
    channel TEXT NOT NULL,
    notice TEXT NOT NULL,
    number BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    due_ns BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    given_up_ns BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (channel, notice)
);
CREATE TABLE approval_migrations (
	version INTEGER NOT NULL, 
	applied_ns BIGINT NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "approval_migrations" VALUES(1,1800000000000000000);
INSERT INTO "approval_migrations" VALUES(2,1800000000000000000);
CREATE TABLE approval_nonces (
    channel TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until_ns BIGINT NOT NULL,
    PRIMARY KEY (channel, nonce)
);
CREATE TABLE approval_requests (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    tool TEXT NOT NULL,
    agent TEXT NOT NULL,
    session TEXT,
    digest TEXT NOT NULL,
    action_digest TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL,
    decided_ns BIGINT NOT NULL,
    used_ns BIGINT NOT NULL,
    uses INTEGER NOT NULL,
    ended_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
INSERT INTO "approval_requests" VALUES('bc8121c6e90a869244d5',1,'approval','approved','payments.transfer','agent-7','s-1','sha256:52a39c8e537b1c4841c43363e43a23f0748099c1c59e0c34f0e9085ee120725e','sha256:887f9a628fa96a27eca7259893009f8a666839dd13d8bc1d24f5342ce658a89d','["map",["case",["map",["arguments",["map",["amount",["float","0x1.c200000000000p+9"]],["to","ACME"]]],["context",["map",["environment","prod"]]],["rules",["list",["map",["description",""],["message",""],["owner",""],["rule","pay/large"],["terms",["map",["groups",["list",["list",["list","finance"],1]]],["remember_ns",null],["separate_from",["list"]],["then",["list"]],["timeout_ns",1800000000000],["veto",true]]]]]],["session","s-1"],["subjects",["list",["map",["attributes",["map"]],["id","agent-7"],["on_behalf_of","dana@example.com"],["roles",["list","billing"]]]]],["tool","payments.transfer"]]],["created_ns",1800000000000000000],["environment",["map"]],["evidence",["map"]],["expires_ns",1800001800000000000],["kind","approval"],["labels",["list"]],["revision",""]]',1800000000000000000,1800001800000000000,1800000000000000000,0,0,'','');
CREATE TABLE approval_rules (
    request_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (request_id, rule)
);
INSERT INTO "approval_rules" VALUES('bc8121c6e90a869244d5','pay/large');
CREATE TABLE approval_state (
    id INTEGER NOT NULL PRIMARY KEY,
    latest_ns BIGINT NOT NULL,
    number BIGINT NOT NULL
);
INSERT INTO "approval_state" VALUES(1,1800000000000000000,7);
CREATE TABLE approval_suspensions (
    agent TEXT NOT NULL PRIMARY KEY,
    since_ns BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE approval_views (
    request_id TEXT NOT NULL,
    account TEXT NOT NULL,
    first_ns BIGINT NOT NULL,
    PRIMARY KEY (request_id, account)
);
CREATE TABLE approval_votes (
    request_id TEXT NOT NULL,
    voter TEXT NOT NULL,
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    outcome TEXT NOT NULL,
    comment TEXT NOT NULL,
    cast_ns BIGINT NOT NULL,
    seen_ns BIGINT NOT NULL,
    key TEXT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (request_id, voter)
);
INSERT INTO "approval_votes" VALUES('bc8121c6e90a869244d5','fay@example.com',3,'sha256:52a39c8e537b1c4841c43363e43a23f0748099c1c59e0c34f0e9085ee120725e','sha256:5c50ffd98cd94cd8ea93d05822d0897811fc2b80953f2d6b48c6db2970ebdf42','approve','',1800000000000000000,0,'87a09eceeaef277a',X'B74530376281A496DF5AFB0506EE39347303CF72AA06E1E04710EE1DB4ACD9CAA7F1F414D8920F07CBF619FEAB117D0DD7142970E9C15EC5D94B14737D85230F');
CREATE TABLE budget_accounts (account TEXT PRIMARY KEY, rule TEXT NOT NULL,
    spent BIGINT NOT NULL, period BIGINT NOT NULL, latest_ns BIGINT NOT NULL,
    ends_ns BIGINT NOT NULL);
INSERT INTO "budget_accounts" VALUES('05d2ce423902ec32f7f723c332711f1db69bb7d650cbbec1bdf8b813c9f865cc','p/rolls',2,0,1800000000000000000,1800086400000000000);
INSERT INTO "budget_accounts" VALUES('9905dfed2f729e35bbee557495d5e5175c37ab54c2e6fb2ae3bc0981cf11cd05','p/ever',3,0,1800000000000000000,0);
CREATE TABLE budget_entries (number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,
    at_ns BIGINT NOT NULL, amount BIGINT NOT NULL);
INSERT INTO "budget_entries" VALUES(1,'05d2ce423902ec32f7f723c332711f1db69bb7d650cbbec1bdf8b813c9f865cc',1800000000000000000,2);
CREATE TABLE state_keys (
    name TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
);
INSERT INTO "state_keys" VALUES('identity',X'86FC3F5933357A2E1984D490CE97DECBE5CE58E8BF871458804F96D66273EF1A');
INSERT INTO "state_keys" VALUES('delegation',X'45D0B7FC06313C2CEA1CE7847A4D703DED36BB25D7270534F1985EE9F8FCFEB4');
CREATE TABLE state_session_events (
    session TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    PRIMARY KEY (session, number)
);
INSERT INTO "state_session_events" VALUES('s-1',7,'call','{}',1800000000000000000);
CREATE TABLE state_stops (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    stopped_by TEXT NOT NULL,
    since_ns BIGINT NOT NULL,
    ended_ns BIGINT NOT NULL,
    ended_by TEXT NOT NULL
);
INSERT INTO "state_stops" VALUES(6,'agent-7','wild','dana',1800000000000000000,0,'');
CREATE TABLE state_tokens (
    nonce TEXT NOT NULL PRIMARY KEY,
    expires_ns BIGINT NOT NULL
);
CREATE TABLE state_versions (
	version INTEGER NOT NULL, 
	applied_ns BIGINT NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "state_versions" VALUES(1,1800000000000000000);
CREATE INDEX approval_requests_action ON approval_requests (action_digest);
CREATE INDEX approval_requests_status ON approval_requests (status, expires_ns);
CREATE INDEX approval_requests_agent ON approval_requests (agent, status);
CREATE INDEX approval_requests_session ON approval_requests (session);
CREATE UNIQUE INDEX approval_requests_open ON approval_requests (digest)
    WHERE kind = 'approval' AND status IN ('pending', 'approved');
CREATE INDEX approval_rules_rule ON approval_rules (rule);
CREATE INDEX approval_votes_voter ON approval_votes (voter);
CREATE INDEX approval_attempts_agent ON approval_attempts (agent, at_ns);
CREATE TRIGGER approval_requests_kept_update BEFORE UPDATE ON approval_requests WHEN 
    OLD.id <> NEW.id OR OLD.number <> NEW.number OR OLD.kind <> NEW.kind OR OLD.tool <> NEW.tool
    OR OLD.agent <> NEW.agent OR OLD.digest <> NEW.digest OR OLD.body <> NEW.body
    OR OLD.action_digest <> NEW.action_digest OR OLD.created_ns <> NEW.created_ns
    OR OLD.expires_ns <> NEW.expires_ns OR OLD.uses > NEW.uses
    OR (OLD.used_ns <> 0 AND OLD.used_ns <> NEW.used_ns)
    OR (OLD.decided_ns <> 0 AND OLD.decided_ns <> NEW.decided_ns)
    OR NOT (
        OLD.status = NEW.status
        OR (OLD.status = 'pending' AND NEW.status IN ('approved', 'denied', 'expired', 'cancelled'))
        OR (OLD.status = 'approved' AND NEW.status IN ('used', 'expired', 'cancelled'))
    )
 BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_requests_kept BEFORE DELETE ON approval_requests BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_rules_kept BEFORE DELETE ON approval_rules BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_votes_kept BEFORE DELETE ON approval_votes BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_changes_kept BEFORE DELETE ON approval_changes BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_rules_kept_update BEFORE UPDATE ON approval_rules BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_votes_kept_update BEFORE UPDATE ON approval_votes BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE TRIGGER approval_changes_kept_update BEFORE UPDATE ON approval_changes BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END;
CREATE INDEX approval_deliveries_due ON approval_deliveries (channel, given_up_ns, due_ns);
CREATE INDEX approval_nonces_until ON approval_nonces (until_ns)
;
CREATE INDEX state_stops_present ON state_stops (ended_ns, name);
CREATE INDEX budget_accounts_ends ON budget_accounts (ends_ns);
CREATE INDEX budget_entries_account ON budget_entries (account, at_ns);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('budget_entries',1);
COMMIT;
