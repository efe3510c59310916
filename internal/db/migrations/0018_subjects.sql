-- +goose Up

-- On what terms a picture or file is had, and until when.
ALTER TABLE media ADD COLUMN rights TEXT NOT NULL DEFAULT '' CHECK (rights IN ('', 'own', 'free', 'agency', 'permission'));
ALTER TABLE media ADD COLUMN rights_until BIGINT NOT NULL DEFAULT 0; -- 0: without end
ALTER TABLE media ADD COLUMN rights_note TEXT NOT NULL DEFAULT '';
ALTER TABLE media ADD COLUMN rights_told BIGINT NOT NULL DEFAULT 0;  -- the end of which the pages were told
CREATE INDEX media_rights ON media (rights_until) WHERE rights_until > 0;

-- Which of them the words of an edition show, as they stood at a revision. It
-- is made anew for every edition that media_read does not know as it is.
CREATE TABLE media_use (
    media_id    TEXT NOT NULL,
    edition_id  TEXT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    PRIMARY KEY (media_id, edition_id)
);
CREATE INDEX media_use_edition ON media_use (edition_id);
CREATE TABLE media_read (
    edition_id  TEXT PRIMARY KEY REFERENCES edition (id) ON DELETE CASCADE,
    revision    BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX edition_revision ON edition (id, revision, updated_at);
CREATE INDEX story_lead ON story (lead_media_id) WHERE lead_media_id IS NOT NULL;

-- The bytes that were uploaded: a row is locked while its picture is saved, so
-- that the same one sent twice at once is kept once.
CREATE TABLE media_upload (
    hash        TEXT PRIMARY KEY,                -- SHA-256 of the kept original, hex
    at          BIGINT NOT NULL
);

-- Who of the staff an author is: staff.id; '' for nobody.
ALTER TABLE author ADD COLUMN staff_id TEXT NOT NULL DEFAULT '';
