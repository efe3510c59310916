package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
)

// asset is a picture or file that the old site had.
type asset struct {
	source   string   // unique, such as ghost:/content/images/2020/01/a.jpg
	paths    []string // where it may stand in the folder of assets; the first that is there is taken
	url      string   // where it may be fetched; "" for nowhere
	alt      string
	caption  string
	credit   string
	licence  string
	fileName string // "" for the last part of the path or address
	picture  bool   // it stands where only a picture can be shown
}

// kept is what became of an asset.
type kept struct {
	id  string // "" where it did not come in
	why string // then
}

// asset brings a picture or file in, once a run, and gives its media ID. Where
// it cannot, id is "" and why says so in words for the report. The row of a new
// one is written with the next batch.
func (r *run) asset(a asset) (id, why string, err error) {
	a.source = strings.ReplaceAll(a.source, "\x00", "") // no database's text holds it
	if k, ok := r.assets[a.source]; ok {
		return k.id, k.why, nil
	}
	k, err := r.bring(a)
	if err != nil {
		return "", "", err
	}
	r.assets[a.source] = k
	if k.id != "" {
		r.report.Media++
	}
	return k.id, k.why, nil
}

const notPicture = "it is not a picture that can be read"

func (r *run) bring(a asset) (kept, error) {
	m, err := r.Media.BySource(r.ctx, r.q(), a.source)
	if err == nil && a.picture && m.Kind != media.Picture {
		return kept{why: notPicture}, nil
	}
	if err == nil {
		return kept{id: m.ID}, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return kept{}, err
	}
	content, name, err := r.open(a)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return kept{}, err
		}
		return kept{why: why(err)}, nil
	}
	defer content.Close()
	if a.fileName != "" {
		name = a.fileName
	}
	if r.DryRun { // no blob is kept, so the bytes are not looked at
		return kept{id: db.NewID()}, nil
	}
	m, err = r.Media.Keep(r.ctx, media.Upload{
		Name: name, Content: content, Credit: a.credit, Licence: a.licence, Source: a.source,
		Alts: r.text(a.alt), Captions: r.text(a.caption),
	})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return kept{}, err
		}
		return kept{why: why(err)}, nil
	}
	if a.picture && m.Kind != media.Picture {
		return kept{why: notPicture}, nil
	}
	m.ID = db.NewID()
	r.rows = append(r.rows, m)
	return kept{id: m.ID}, nil
}

// saveMedia writes the rows of what was kept since the last transaction.
func (r *run) saveMedia(tx *db.Tx) error {
	for i := range r.rows {
		if err := r.Media.Save(r.ctx, tx, &r.rows[i]); err != nil {
			return err
		}
	}
	r.rows = r.rows[:0]
	return nil
}

// open gives the bytes of an asset from the folder, or from its address where
// fetching is allowed.
func (r *run) open(a asset) (io.ReadCloser, string, error) {
	if r.Assets != nil {
		for _, p := range a.paths {
			p = strings.TrimPrefix(path.Clean("/"+p), "/")
			if p == "" {
				continue
			}
			// A root never leaves its folder, also not by a symbolic link.
			info, err := r.Assets.Stat(p)
			if err != nil {
				continue
			}
			if !info.Mode().IsRegular() {
				return nil, "", fault.New(fault.Invalid, "it is not a file in the folder of assets", "path", p)
			}
			f, err := r.Assets.Open(p)
			if errors.Is(err, fs.ErrPermission) {
				return nil, "", fault.New(fault.Invalid, "it may not be read in the folder of assets", "path", p)
			}
			if err != nil {
				return nil, "", fmt.Errorf("archive: asset %s: %w", p, err)
			}
			return f, path.Base(p), nil
		}
	}
	if r.Fetch != nil && strings.HasPrefix(a.url, "http") {
		content, err := r.Fetch(r.ctx, a.url)
		if err == nil {
			return fetched{content}, lastPart(a.url), nil
		}
		if r.ctx.Err() != nil {
			return nil, "", r.ctx.Err()
		}
		// Whatever kept a far host from answering is that item's affair alone.
		return nil, "", fault.New(fault.Unavailable, "it could not be fetched: "+afar(err))
	}
	switch {
	case len(a.paths) == 0:
		return nil, "", fault.New(fault.NotFound, "it stands on another site, and nothing is fetched unless that is asked for")
	case r.Assets != nil:
		return nil, "", fault.New(fault.NotFound, "it is not in the folder of assets")
	}
	return nil, "", fault.New(fault.NotFound, "no folder of assets was given").WithHint("run again with --assets DIR")
}

// afar gives what kept a far host from answering as a reason.
func afar(err error) string {
	if fault.KindOf(err) == fault.Internal {
		return err.Error()
	}
	return why(err)
}

// fetched makes a fault of a connection that breaks, so that it costs one item
// and not the import.
type fetched struct{ io.ReadCloser }

// Read reads on.
func (f fetched) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && fault.KindOf(err) == fault.Internal {
		err = fault.New(fault.Unavailable, "it broke off while it was fetched: "+err.Error())
	}
	return n, err
}

// lastPart gives the file's name in an address.
func lastPart(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "file"
	}
	return path.Base(u.Path)
}
