package media

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/fault"
)

// Store keeps media: their rows in the database, their bytes in a blob store.
type Store struct {
	// Lazy leaves the variants to be made when they are first asked for:
	// importers of whole archives set it.
	Lazy bool
	// Limits bound what an upload may cost.
	Limits Limits
	Now    func() time.Time

	db    *db.DB
	blobs blob.Store
	// turn is held by the one picture that is being worked on, so that memory
	// stays bounded however many come at once.
	turn chan struct{}
}

// Limits bound what an upload may cost.
type Limits struct {
	PictureBytes int64 // of a picture's file
	FileBytes    int64 // of any other file
	Pixels       int64 // of a picture; a progressive JPEG may have 2/5 of them, 16-bit channels half
}

// NewStore gives a store over d and blobs, with limits of 40 MB a picture, 60
// megapixels and 1 GB a file.
func NewStore(d *db.DB, blobs blob.Store) *Store {
	return &Store{
		Limits: Limits{PictureBytes: 40 << 20, FileBytes: 1 << 30, Pixels: 60e6},
		Now:    time.Now,
		db:     d, blobs: blobs, turn: make(chan struct{}, 1),
	}
}

// columns are the columns of media in the order that scan reads them.
const columns = `id, kind, name, mime, width, height, bytes, hash, blob, credit, licence, alts, captions,
	focal_x, focal_y, COALESCE(source, ''), created_at, rights, rights_until, rights_note`

// Add keeps the bytes of u and saves its row in tx. The work on a picture
// takes a second or more, during which tx stays open: on SQLite, whose one
// writer it holds up, prefer [Store.Keep] before the transaction.
func (s *Store) Add(ctx context.Context, tx *db.Tx, u Upload) (Media, error) {
	m, err := s.Keep(ctx, u)
	if err != nil {
		return Media{}, err
	}
	return m, s.Save(ctx, tx, &m)
}

// Save inserts m or updates it, found by its ID, else by its Source. A new one
// gets its ID and CreatedAt here. Another media with the same Source is fault.Conflict.
func (s *Store) Save(ctx context.Context, tx db.Queryer, m *Media) error {
	if err := m.Focal.Check(); err != nil {
		return err
	}
	if !slices.Contains(AllRights(), m.Rights) {
		return fault.New(fault.Invalid, "there are no such rights", "rights", m.Rights)
	}
	if m.ID == "" && m.Source != "" {
		old, err := s.BySource(ctx, tx, m.Source)
		if err == nil {
			m.ID, m.CreatedAt = old.ID, old.CreatedAt
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	if m.ID == "" {
		m.ID = db.NewID()
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = s.Now().UTC().Truncate(time.Microsecond)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO media (id, kind, name, mime, width, height, bytes, hash, blob, credit, licence, alts, captions,
			focal_x, focal_y, source, created_at, rights, rights_until, rights_note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (id) DO UPDATE SET
			kind = excluded.kind, name = excluded.name, mime = excluded.mime, width = excluded.width, height = excluded.height,
			bytes = excluded.bytes, hash = excluded.hash, blob = excluded.blob,
			credit = excluded.credit, licence = excluded.licence, alts = excluded.alts, captions = excluded.captions,
			focal_x = excluded.focal_x, focal_y = excluded.focal_y, source = excluded.source,
			rights = excluded.rights, rights_until = excluded.rights_until, rights_note = excluded.rights_note`,
		m.ID, m.Kind, m.Name, m.MIME, m.Width, m.Height, m.Bytes, m.Hash, m.Blob, m.Credit, m.Licence,
		texts(m.Alts), texts(m.Captions), m.Focal.X, m.Focal.Y, sql.NullString{String: m.Source, Valid: m.Source != ""},
		db.Micros(m.CreatedAt), string(m.Rights), db.Micros(m.RightsUntil), m.RightsNote)
	if db.IsUnique(err) {
		return fault.New(fault.Conflict, "another picture or file came from there", "source", m.Source)
	}
	if err != nil {
		return fmt.Errorf("media.Save(%s): %w", m.Name, err)
	}
	return nil
}

// ByID gives one media; an unknown ID is fault.NotFound.
func (s *Store) ByID(ctx context.Context, q db.Queryer, id string) (Media, error) {
	return one(q.QueryRowContext(ctx, "SELECT "+columns+" FROM media WHERE id = $1", id), "media.ByID", id)
}

// BySource gives the media that was imported from source; an unknown one is fault.NotFound.
func (s *Store) BySource(ctx context.Context, q db.Queryer, source string) (Media, error) {
	return one(q.QueryRowContext(ctx, "SELECT "+columns+" FROM media WHERE source = $1", source), "media.BySource", source)
}

// ByHash gives a media with those bytes, the oldest of several; none is fault.NotFound.
func (s *Store) ByHash(ctx context.Context, q db.Queryer, hash string) (Media, error) {
	return one(q.QueryRowContext(ctx, "SELECT "+columns+" FROM media WHERE hash = $1 ORDER BY id LIMIT 1", hash), "media.ByHash", hash)
}

// ByIDs gives media by their IDs; unknown IDs are left out.
func (s *Store) ByIDs(ctx context.Context, q db.Queryer, ids ...string) (map[string]Media, error) {
	all := make(map[string]Media, len(ids))
	for chunk := range slices.Chunk(ids, 500) {
		list, args := db.In(1, chunk)
		rows, err := q.QueryContext(ctx, "SELECT "+columns+" FROM media WHERE id IN "+list, args...)
		found, err := db.Rows(rows, err, scan)
		if err != nil {
			return nil, fmt.Errorf("media.ByIDs: %w", err)
		}
		for _, m := range found {
			all[m.ID] = m
		}
	}
	return all, nil
}

// List gives up to limit media, newest first, beginning after the one with ID
// after ("" for the first page). kind is "" for both.
func (s *Store) List(ctx context.Context, q db.Queryer, kind Kind, after string, limit int) ([]Media, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+columns+` FROM media
		WHERE (CAST($1 AS TEXT) = '' OR kind = $1) AND (CAST($2 AS TEXT) = '' OR id < $2)
		ORDER BY id DESC LIMIT $3`, string(kind), after, limit)
	all, err := db.Rows(rows, err, scan)
	if err != nil {
		return nil, fmt.Errorf("media.List: %w", err)
	}
	return all, nil
}

// Delete removes the row of a media. Its bytes stay until [Store.Sweep] finds
// that nobody shares them.
func (s *Store) Delete(ctx context.Context, tx db.Queryer, id string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM media WHERE id = $1", id); err != nil {
		return fmt.Errorf("media.Delete(%s): %w", id, err)
	}
	return nil
}

func one(row *sql.Row, op, arg string) (Media, error) {
	m, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Media{}, fault.New(fault.NotFound, "there is no such picture or file", "by", arg)
	}
	if err != nil {
		return Media{}, fmt.Errorf("%s(%s): %w", op, arg, err)
	}
	return m, nil
}

func scan(row db.Scanner) (Media, error) {
	var m Media
	var alts, captions string
	var created, until int64
	err := row.Scan(&m.ID, &m.Kind, &m.Name, &m.MIME, &m.Width, &m.Height, &m.Bytes, &m.Hash, &m.Blob, &m.Credit,
		&m.Licence, &alts, &captions, &m.Focal.X, &m.Focal.Y, &m.Source, &created,
		&m.Rights, &until, &m.RightsNote)
	if err != nil {
		return m, err
	}
	m.CreatedAt, m.RightsUntil = db.Time(created), db.Time(until)
	return m, cmp.Or(json.Unmarshal([]byte(alts), &m.Alts), json.Unmarshal([]byte(captions), &m.Captions))
}

// texts gives the JSON of texts by language, with sorted keys.
func texts(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // a map of strings always has JSON
	}
	return string(b)
}
