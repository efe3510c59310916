package api

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Medium is a picture or a file.
type Medium struct {
	ID       string      `json:"id"`
	Kind     string      `json:"kind" enum:"picture,file"`
	Name     string      `json:"name"`
	Type     string      `json:"type" doc:"Media type of what is kept"`
	Bytes    int64       `json:"bytes"`
	Width    int         `json:"width,omitempty" doc:"Pixels"`
	Height   int         `json:"height,omitempty" doc:"Pixels"`
	URL      string      `json:"url" format:"uri" doc:"The file itself"`
	Srcset   string      `json:"srcset,omitempty" doc:"The picture's sizes, as HTML writes them, from the site's root"`
	Credit   string      `json:"credit,omitempty"`
	Licence  string      `json:"licence,omitempty"`
	Alts     story.Texts `json:"alts" doc:"The text that stands for the picture, by language"`
	Captions story.Texts `json:"captions" doc:"By language"`
	Focal    Focal       `json:"focal"`
	Created  time.Time   `json:"created"`
}

// Focal is the point of a picture that no crop may lose.
type Focal struct {
	X int `json:"x" minimum:"0" maximum:"1000" doc:"Thousandths of the width"`
	Y int `json:"y" minimum:"0" maximum:"1000" doc:"Thousandths of the height"`
}

// MediumChange is what is to be changed of a picture's or file's description.
type MediumChange struct {
	Credit   *string            `json:"credit,omitempty" maxLength:"500"`
	Licence  *string            `json:"licence,omitempty" maxLength:"500"`
	Alts     *map[string]string `json:"alts,omitempty" doc:"By language: all of them"`
	Captions *map[string]string `json:"captions,omitempty" doc:"By language: all of them"`
	Focal    *Focal             `json:"focal,omitempty"`
}

func (n *Newsroom) mediaOperations(h huma.API) {
	register(n, h, operation{id: "list-media", method: "GET", path: "/api/v1/media", summary: "Pictures and files, the newest first",
		scope: staff.MediaRead, act: staff.ReadDesk, faults: []int{400}}, n.mediaList)
	register(n, h, operation{id: "get-medium", method: "GET", path: "/api/v1/media/{media}", summary: "One picture or file",
		scope: staff.MediaRead, act: staff.ReadDesk, faults: []int{404}}, n.medium)
	register(n, h, operation{id: "upload-medium", method: "POST", path: "/api/v1/media", summary: "Upload a picture or a file",
		about: "As a form (multipart/form-data) with the part file, or as its bytes. What is known of it stands in the address, and in a form may stand in parts of the same names, before the file. " +
			"Pictures are encoded anew; SVG is not taken.",
		scope: staff.MediaWrite, act: staff.AddMedia, status: 201, media: true}, n.upload)
	register(n, h, operation{id: "change-medium", method: "PATCH", path: "/api/v1/media/{media}", summary: "Describe a picture or a file", about: "What is absent stays.",
		scope: staff.MediaWrite, act: staff.KeepMedia, faults: []int{404}}, n.changeMedium)
}

// uploadBody tells of an upload in the document.
func uploadBody() *huma.RequestBody {
	words := func(doc string) *huma.Schema { return &huma.Schema{Type: "string", Description: doc} }
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"name": words("The file's name"), "credit": words(""), "licence": words(""), "lang": words("The language of alt and caption"), "alt": words(""), "caption": words(""),
			"file": {Type: "string", Format: "binary"}}}},
		"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}
}

type mediaListInput struct {
	Paging
	Kind string `query:"kind" enum:"picture,file" doc:"These alone"`
}

type mediaListOutput struct {
	Link string `header:"Link"`
	Body struct {
		Media []Medium `json:"media" nullable:"false"`
		Next  string   `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
	}
}

func (n *Newsroom) mediaList(ctx context.Context, in *mediaListInput) (*mediaListOutput, error) {
	after, err := parseID(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := n.Media.List(ctx, n.DB.Read(), media.Kind(in.Kind), after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &mediaListOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = formatID(list[in.Limit-1].ID)
	}
	out.Link = n.link("/api/v1/media", url.Values{"kind": {in.Kind}, "limit": {strconv.Itoa(in.Limit)}}, out.Body.Next)
	out.Body.Media = make([]Medium, len(list))
	for i, m := range list {
		out.Body.Media[i] = n.mediumOf(m)
	}
	return out, nil
}

func (n *Newsroom) mediumOf(m media.Media) Medium {
	return Medium{ID: m.ID, Kind: string(m.Kind), Name: m.Name, Type: m.MIME, Bytes: m.Bytes, Width: m.Width, Height: m.Height, URL: n.absolute(m.Original()), Srcset: m.Srcset(),
		Credit: m.Credit, Licence: m.Licence, Alts: texts(m.Alts), Captions: texts(m.Captions), Focal: Focal{m.Focal.X, m.Focal.Y}, Created: m.CreatedAt}
}

// MediumPath names a picture or a file in an address.
type MediumPath struct {
	Media string `path:"media" maxLength:"64" doc:"Its ID"`
}

type mediumOutput struct {
	Location string `header:"Location"`
	Body     Medium
}

func (n *Newsroom) medium(ctx context.Context, in *MediumPath) (*mediumOutput, error) {
	m, err := n.Media.ByID(ctx, n.DB.Read(), in.Media)
	if err != nil {
		return nil, err
	}
	return &mediumOutput{Body: n.mediumOf(m)}, nil
}

type uploadInput struct {
	Name    string `query:"name" maxLength:"300" doc:"The file's name" example:"dredger.jpg"`
	Credit  string `query:"credit" maxLength:"500"`
	Licence string `query:"licence" maxLength:"500"`
	Lang    string `query:"lang" maxLength:"35" doc:"The language of alt and caption; the newsroom's where absent"`
	Alt     string `query:"alt" maxLength:"2000" doc:"The text that stands for the picture"`
	Caption string `query:"caption" maxLength:"2000"`

	request *http.Request
}

// Resolve implements [huma.Resolver]: the body is read as it comes.
func (in *uploadInput) Resolve(ctx huma.Context) []error {
	in.request, _ = humago.Unwrap(ctx)
	return nil
}

var _ huma.Resolver = (*uploadInput)(nil)

func (n *Newsroom) upload(ctx context.Context, in *uploadInput) (out *mediumOutput, err error) {
	content := io.Reader(in.request.Body)
	if kind, _, _ := mime.ParseMediaType(in.request.Header.Get("Content-Type")); kind == "multipart/form-data" {
		if content, err = in.form(); err != nil {
			return nil, err
		}
	}
	u := media.Upload{Name: in.Name, Content: content, Alts: map[string]string{}, Captions: map[string]string{}}
	lang := n.Config.Language
	if in.Lang != "" {
		if lang, err = normalise(in.Lang); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		name, from string
		to         func(string)
	}{{"credit", in.Credit, func(s string) { u.Credit = s }}, {"licence", in.Licence, func(s string) { u.Licence = s }},
		{"alt", in.Alt, func(s string) { u.Alts[lang] = s }}, {"caption", in.Caption, func(s string) { u.Captions[lang] = s }}} {
		text, err := line(f.name, f.from, 2000)
		if err != nil {
			return nil, err
		}
		if text != "" {
			f.to(text)
		}
	}
	m, err := n.Media.Keep(ctx, u) // before the transaction: it takes a second or more
	if err != nil {
		return nil, err
	}
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		if err := n.Media.Save(ctx, tx, &m); err != nil {
			return "", err
		}
		detail["uploaded"] = m.Name
		return "media:" + m.ID, nil
	})
	return &mediumOutput{Body: n.mediumOf(m), Location: n.absolute("/api/v1/media/" + m.ID)}, err
}

// form reads the parts of a form up to the file, and gives that.
func (in *uploadInput) form() (io.Reader, error) {
	broken := fault.New(fault.Invalid, "the form cannot be read").WithHint("send multipart/form-data with the part file at its end")
	parts, err := in.request.MultipartReader()
	if err != nil {
		return nil, broken
	}
	for range 20 {
		part, err := parts.NextPart()
		if err != nil {
			return nil, broken
		}
		if part.FormName() == "file" {
			if in.Name == "" {
				in.Name = part.FileName()
			}
			return part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, 2001))
		if err != nil {
			return nil, broken
		}
		for name, to := range map[string]*string{"name": &in.Name, "credit": &in.Credit, "licence": &in.Licence, "lang": &in.Lang, "alt": &in.Alt, "caption": &in.Caption} {
			if part.FormName() == name {
				*to = string(text)
			}
		}
	}
	return nil, broken
}

type changeMediumInput struct {
	MediumPath
	Body MediumChange
}

func (n *Newsroom) changeMedium(ctx context.Context, in *changeMediumInput) (out *mediumOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		m, err := n.Media.ByID(ctx, tx, in.Media)
		if err != nil {
			return "", err
		}
		if err := set(&m.Credit, "credit", in.Body.Credit, 500); err != nil {
			return "", err
		}
		if err := set(&m.Licence, "licence", in.Body.Licence, 500); err != nil {
			return "", err
		}
		alts, captions := story.Texts(m.Alts), story.Texts(m.Captions)
		if err := setTexts(&alts, "alts", in.Body.Alts, 2000); err != nil {
			return "", err
		}
		if err := setTexts(&captions, "captions", in.Body.Captions, 2000); err != nil {
			return "", err
		}
		m.Alts, m.Captions = alts, captions
		if in.Body.Focal != nil {
			m.Focal = media.Focal(*in.Body.Focal)
		}
		if err := n.Media.Save(ctx, tx, &m); err != nil {
			return "", err
		}
		detail["described"] = m.Name
		out = &mediumOutput{Body: n.mediumOf(m)}
		return "media:" + m.ID, n.MediaChanged(ctx, tx, m.ID)
	})
	return out, err
}

// formatID and parseID write the cursors of lists that are in order of ID.
func formatID(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

func parseID(cursor string) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || !isPlain(string(id)) || len(id) > 64 {
		return "", badCursor()
	}
	return string(id), nil
}

func badCursor() error {
	return fault.New(fault.Invalid, "the cursor is not one of ours").WithHint("take next from the page before")
}
