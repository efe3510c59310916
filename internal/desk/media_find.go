package desk

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/media"
)

// mediaFilter narrows the library.
type mediaFilter struct {
	Words []string // folded; all of them stand in the name or the texts
	Kind  string   // of mediumJSON; "" for every one
	State string   // of mediaStates; "" for every one
	After string   // older than the one with this ID
}

// mediaKinds and mediaStates are how the library can be narrowed.
var (
	mediaKinds  = [...]string{"picture", "audio", "video", "file"}
	mediaStates = [...]string{"unused", "ending", "ended", "no_alt"}
)

// findMedia gives up to limit pictures and files, the newest first, and whether
// there are more. Texts are compared here, as headlines are.
func (d *Desk) findMedia(ctx context.Context, f mediaFilter, limit int) (found []media.Media, more bool, err error) {
	var where []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	switch f.Kind {
	case "picture":
		where = append(where, `kind = 'picture'`)
	case "audio", "video":
		where = append(where, `kind = 'file' AND mime LIKE '`+f.Kind+`/%'`)
	case "file":
		where = append(where, `kind = 'file' AND mime NOT LIKE 'audio/%' AND mime NOT LIKE 'video/%'`)
	}
	now := d.Now()
	switch f.State {
	case "unused":
		if err := d.Media.ReadAll(ctx); err != nil {
			return nil, false, err
		}
		where = append(where, media.Unused)
	case "ending":
		where = append(where, `rights_until > `+arg(db.Micros(now)), `rights_until <= `+arg(db.Micros(now.Add(media.RightsNotice))))
	case "ended":
		where = append(where, `rights_until > 0 AND rights_until <= `+arg(db.Micros(now)))
	case "no_alt":
		where = append(where, `kind = 'picture' AND alts = '{}'`)
	}
	if f.After != "" {
		where = append(where, `id < `+arg(f.After))
	}
	rows, err := d.DB.Read().QueryContext(ctx, `SELECT id, name || ' ' || credit || ' ' || licence || ' ' || rights_note, alts || ' ' || captions
		FROM media WHERE `+strings.Join(append(where, `TRUE`), ` AND `)+` ORDER BY id DESC`, args...)
	if err != nil {
		return nil, false, fmt.Errorf("desk.findMedia: %w", err)
	}
	defer rows.Close()
	var ids []string
	var plain, texts sql.RawBytes
	for rows.Next() && len(ids) <= limit {
		var id string
		if err := rows.Scan(&id, &plain, &texts); err != nil {
			return nil, false, fmt.Errorf("desk.findMedia: %w", err)
		}
		if len(f.Words) == 0 || holds(string(plain)+" "+plainJSON(texts), f.Words) {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("desk.findMedia: %w", err)
	}
	if more = len(ids) > limit; more {
		ids = ids[:limit]
	}
	all, err := d.Media.ByIDs(ctx, d.DB.Read(), ids...)
	for _, id := range ids {
		if m, ok := all[id]; ok {
			found = append(found, m)
		}
	}
	return found, more, err
}
