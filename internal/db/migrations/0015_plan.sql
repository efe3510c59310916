-- +goose Up
-- What the newsroom means to do: embargoes, moves of the workflow, plans, checks.
ALTER TABLE edition ADD COLUMN embargo_until BIGINT NOT NULL DEFAULT 0; -- it cannot be published before; 0: no embargo
CREATE INDEX edition_embargo ON edition (embargo_until) WHERE embargo_until > 0;

ALTER TABLE correction ADD COLUMN changed TEXT NOT NULL DEFAULT ''; -- what stood there before and stands there now
CREATE INDEX correction_lang ON correction (lang, at);

-- Every move of an edition from one status to another, and every correction.
CREATE TABLE edition_move (
    id          TEXT PRIMARY KEY,                -- UUIDv7: in order of time
    edition_id  TEXT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    name        TEXT NOT NULL,                   -- 'approve': one of plan.Moves
    was         TEXT NOT NULL,                   -- status before
    became      TEXT NOT NULL,                   -- status after
    staff_id    TEXT NOT NULL DEFAULT '',        -- staff.id, '' for the program itself
    who         TEXT NOT NULL DEFAULT '',        -- name or address as it was then
    note        TEXT NOT NULL DEFAULT '',
    overruled   TEXT NOT NULL DEFAULT ''         -- why warnings were overruled
);
CREATE INDEX edition_move_edition ON edition_move (edition_id, id);

-- What is planned for a story, and what the lawyers say.
CREATE TABLE story_plan (
    story_id    TEXT PRIMARY KEY REFERENCES story (id) ON DELETE CASCADE,
    day         INTEGER NOT NULL DEFAULT 0,      -- 20261123, by the newsroom's clock; 0: none
    legal       TEXT NOT NULL DEFAULT '',        -- why it takes a look by somebody who knows the law
    legal_by    TEXT NOT NULL DEFAULT '',        -- staff.id
    legal_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX story_plan_day ON story_plan (day) WHERE day > 0;

CREATE INDEX assignment_due ON assignment (due_at) WHERE done_at = 0 AND due_at > 0;

-- What came of asking for the addresses that stories point to.
CREATE TABLE link_check (
    url         TEXT PRIMARY KEY,
    at          BIGINT NOT NULL,
    result      TEXT NOT NULL                    -- 'good', 'gone', 'away' (not now, or not for a program)
);

-- What has been mailed, so that it is not mailed twice.
CREATE TABLE told (
    name        TEXT PRIMARY KEY,
    at          BIGINT NOT NULL
);
CREATE INDEX told_at ON told (at);

-- Who wants no letters about stories.
CREATE TABLE no_letters (
    staff_id    TEXT PRIMARY KEY                 -- staff.id
);
