-- The decision log, format 1. Times are nanoseconds since 1970-01-01T00:00:00Z; names stand once in `word`.
-- Everything but `entry`, `policy`, `dictionary` and `meta` follows from the entries: `audit verify` works it out again.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

-- sources: zstd of the JSON [[name, text], ...], the root first. sum: the first 8 bytes of SHA-256 of it, the highest first.
CREATE TABLE policy (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, language INTEGER NOT NULL,
  zone TEXT NOT NULL, sources BLOB NOT NULL, sum INTEGER NOT NULL
) STRICT;

CREATE TABLE dictionary (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;

-- seq: 0, 1, 2, ...; the index of the leaf. kind: 0 decision, 1 review, 2 dropped. leaf: SHA-256 of a zero byte and the line.
-- body: zstd of the line, with a dictionary or without. sum: the first 8 bytes of SHA-256 of seq, kind, recorded,
-- dictionary (or -1), each in 8 bytes, id, leaf and body.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, recorded INTEGER NOT NULL,
  leaf BLOB NOT NULL, dictionary INTEGER, body BLOB NOT NULL, sum INTEGER NOT NULL
) STRICT;

-- Hashes of the complete subtrees of 16, 256, 4096, ... leaves (level 4, 8, 12, ...); idx counts those of its level from 0.
CREATE TABLE tree (
  level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- verdict: 0 allow, 1 hold, 2 deny. action: 0 promote, 1 redeploy, 2 rollback. "trigger": 0 push, 1 pull-request,
-- 2 schedule, 3 manual, 4 completion, 5 event. policy: policy.id; stage, requester, author, branch, asked_by: word.id.
-- requester: else the person of a manual trigger.
CREATE TABLE decision (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, policy INTEGER NOT NULL, stage INTEGER NOT NULL, build TEXT NOT NULL,
  verdict INTEGER NOT NULL, action INTEGER NOT NULL, "trigger" INTEGER, requester INTEGER, author INTEGER,
  branch INTEGER, version TEXT, digest TEXT, asked_by INTEGER
) STRICT;

-- place: where it stands in the decision, from 0. kind: 0 after, 1 soak, 2 require, 3 forbid, 4 advise, 5 window,
-- 6 freeze, 7 approve, 8 trigger, 9 exclusive, 10 forward-only, 11 distinct-approvers. status: 0 met, 1 unmet,
-- 2 waiting, 3 awaiting, 4 unknown, 5 not-applicable, 6 overridden. blocking: 1 if it stands in the way.
CREATE TABLE rule (
  rule INTEGER NOT NULL, status INTEGER NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, kind INTEGER NOT NULL,
  blocking INTEGER NOT NULL, PRIMARY KEY (rule, status, seq, place)
) STRICT, WITHOUT ROWID;

-- role: 0 approved and counts for the rule, 1 approved this build for this stage, 2 rejected, 3 invoked the override
-- that `rule` names. rule: word.id, 0 for none.
CREATE TABLE person (
  person INTEGER NOT NULL, role INTEGER NOT NULL, seq INTEGER NOT NULL, rule INTEGER NOT NULL,
  PRIMARY KEY (person, role, seq, rule)
) STRICT, WITHOUT ROWID;

-- place: where it stands in the decision, from 0. name: word.id. skipped: JSON array of names of rules. invoked: JSON
-- array of {by, at, reason}.
CREATE TABLE override (
  seq INTEGER NOT NULL, place INTEGER NOT NULL, name INTEGER NOT NULL, in_force INTEGER NOT NULL, skipped TEXT NOT NULL,
  invoked TEXT NOT NULL, PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;

-- of: the seq of the decision that was looked at. by: word.id.
CREATE TABLE review (seq INTEGER PRIMARY KEY, "of" INTEGER NOT NULL, "by" INTEGER NOT NULL, note TEXT NOT NULL) STRICT;

CREATE INDEX decision_at ON decision (at);
CREATE INDEX review_of ON review ("of");

-- For people and their tools: what the tables hold, in words. Times are UTC, to the second; at_ns is exact.
CREATE VIEW v_decision AS
SELECT d.seq AS seq,
  lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' ||
    substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
  strftime('%Y-%m-%dT%H:%M:%SZ', d.at / 1000000000, 'unixepoch') AS at,
  d.at AS at_ns,
  strftime('%Y-%m-%dT%H:%M:%SZ', e.recorded / 1000000000, 'unixepoch') AS recorded,
  p.name AS policy,
  p.digest AS policy_digest,
  s.text AS stage,
  d.build AS build,
  CASE d.verdict WHEN 0 THEN 'allow' WHEN 1 THEN 'hold' WHEN 2 THEN 'deny' END AS verdict,
  CASE d.action WHEN 0 THEN 'promote' WHEN 1 THEN 'redeploy' WHEN 2 THEN 'rollback' END AS action,
  CASE d."trigger" WHEN 0 THEN 'push' WHEN 1 THEN 'pull-request' WHEN 2 THEN 'schedule' WHEN 3 THEN 'manual'
    WHEN 4 THEN 'completion' WHEN 5 THEN 'event' END AS "trigger",
  requester.text AS requester,
  author.text AS author,
  branch.text AS branch,
  d.version AS version,
  d.digest AS digest,
  asked_by.text AS asked_by
FROM decision d
JOIN entry e ON e.seq = d.seq
JOIN policy p ON p.id = d.policy
JOIN word s ON s.id = d.stage
LEFT JOIN word requester ON requester.id = d.requester
LEFT JOIN word author ON author.id = d.author
LEFT JOIN word branch ON branch.id = d.branch
LEFT JOIN word asked_by ON asked_by.id = d.asked_by;

CREATE VIEW v_rule AS
SELECT r.seq AS seq, r.place AS place, w.text AS rule,
  CASE r.kind WHEN 0 THEN 'after' WHEN 1 THEN 'soak' WHEN 2 THEN 'require' WHEN 3 THEN 'forbid' WHEN 4 THEN 'advise'
    WHEN 5 THEN 'window' WHEN 6 THEN 'freeze' WHEN 7 THEN 'approve' WHEN 8 THEN 'trigger' WHEN 9 THEN 'exclusive'
    WHEN 10 THEN 'forward-only' WHEN 11 THEN 'distinct-approvers' END AS kind,
  CASE r.status WHEN 0 THEN 'met' WHEN 1 THEN 'unmet' WHEN 2 THEN 'waiting' WHEN 3 THEN 'awaiting' WHEN 4 THEN 'unknown'
    WHEN 5 THEN 'not-applicable' WHEN 6 THEN 'overridden' END AS status,
  r.blocking AS blocking
FROM rule r JOIN word w ON w.id = r.rule;

CREATE VIEW v_approval AS
SELECT p.seq AS seq, w.text AS person,
  CASE p.role WHEN 0 THEN 'counted' WHEN 1 THEN 'approved' WHEN 2 THEN 'rejected' END AS says,
  r.text AS rule
FROM person p JOIN word w ON w.id = p.person LEFT JOIN word r ON r.id = p.rule
WHERE p.role IN (0, 1, 2);

CREATE VIEW v_override AS
SELECT o.seq AS seq, w.text AS override, o.in_force AS in_force, o.skipped AS skipped,
  json_extract(i.value, '$.by') AS "by", json_extract(i.value, '$.at') AS at, json_extract(i.value, '$.reason') AS reason
FROM override o JOIN word w ON w.id = o.name LEFT JOIN json_each(o.invoked) i;

CREATE VIEW v_review AS
SELECT r.seq AS seq, r."of" AS decision, w.text AS "by", r.note AS note,
  strftime('%Y-%m-%dT%H:%M:%SZ', e.recorded / 1000000000, 'unixepoch') AS recorded
FROM review r JOIN word w ON w.id = r."by" JOIN entry e ON e.seq = r.seq;
