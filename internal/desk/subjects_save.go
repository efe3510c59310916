package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/story"
)

// subjectSave serves "POST /desk/subjects/{area}", which makes one, and "POST
// /desk/subjects/{area}/{subject}". What had another address before redirects.
func (d *Desk) subjectSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	area, id := r.PathValue("area"), legible(r.PathValue("subject"))
	isNew := r.PathValue("subject") == ""
	if isNew {
		id = db.NewID()
	}
	kind, ok := map[string]string{sectionsArea: "section", topicsArea: "topic", authorsArea: "author"}[area]
	if !ok {
		return fault.New(fault.NotFound, "there is no such list", "area", area)
	}
	err := d.change(r, kind+":"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		var was, is string
		switch area {
		case sectionsArea:
			was, is, err = d.saveSection(ctx, tx, r, id, isNew)
		case topicsArea:
			was, is, err = d.saveTopic(ctx, tx, r, id, isNew)
		default:
			was, is, err = d.saveAuthor(ctx, tx, r, id, isNew)
		}
		if err != nil {
			return err
		}
		detail["slug"] = is
		if was == "" || was == is {
			return nil
		}
		detail["was"] = was
		if err := d.WallStore.Free(ctx, tx, kind, was); err != nil {
			return err
		}
		return d.Stories.Moved(ctx, tx, areas[area], was, is, d.Config.Languages)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/subjects/"+area+"/"+id, "subject_saved")
}

var areas = map[string]story.Area{sectionsArea: story.SectionArea, topicsArea: story.TopicArea, authorsArea: story.AuthorArea}

// named refuses what has no name, and gives a slug for what was given none.
func named(r *http.Request, names story.Texts, lang string) (slug string, err error) {
	name := names.In(lang, "en")
	if name == "" {
		return "", fault.New(fault.Invalid, "it has no name").WithHint("give it a name in at least one language")
	}
	if slug = story.Slug(r.PostForm.Get("slug")); slug == "" {
		slug = story.Slug(name)
	}
	return slug, nil
}

// formNames reads texts by language out of a form.
func (d *Desk) formNames(r *http.Request, name string, to *story.Texts) {
	texts := map[string]string(*to)
	d.formTexts(r, name, &texts, cleanText)
	*to = texts
}

func (d *Desk) saveSection(ctx context.Context, tx *db.Tx, r *http.Request, id string, isNew bool) (was, is string, err error) {
	all, err := d.Stories.Sections(ctx, tx)
	if err != nil {
		return "", "", err
	}
	s, ok := all.ByID(id)
	if !ok && !isNew {
		return "", "", fault.New(fault.NotFound, "no such section", "id", id)
	}
	s.ID, was = id, s.Slug
	d.formNames(r, "name", &s.Names)
	d.formNames(r, "text", &s.Descriptions)
	if s.Slug, err = named(r, s.Names, d.Config.Language); err != nil {
		return "", "", err
	}
	if story.Reserved(s.Slug) {
		return "", "", fault.New(fault.Conflict, "the site has that address itself", "slug", s.Slug).WithHint("choose another address")
	}
	if isNew || r.PostForm.Has("parent") {
		parent := legible(r.PostForm.Get("parent"))
		if err := all.CheckParent(id, parent); err != nil {
			return "", "", err
		}
		if isNew || parent != s.ParentID { // the last of its new neighbours
			s.ParentID, s.Position = parent, len(all.Parts(parent))+1
		}
	}
	err = d.Stories.SaveSection(ctx, tx, &s)
	return was, s.Slug, err
}

func (d *Desk) saveTopic(ctx context.Context, tx *db.Tx, r *http.Request, id string, isNew bool) (was, is string, err error) {
	t := story.Topic{ID: id}
	if !isNew {
		if t, err = d.Stories.TopicByID(ctx, tx, id); err != nil {
			return "", "", err
		}
	}
	was = t.Slug
	d.formNames(r, "name", &t.Names)
	d.formNames(r, "text", &t.Descriptions)
	for key, values := range r.PostForm {
		if lang, ok := strings.CutPrefix(key, "aliases-"); ok && slices.Contains(d.textLanguages(t.Names, t.Descriptions, map[string]string{lang: ""}), lang) {
			setAliases(&t, lang, values[0])
		}
	}
	if t.Slug, err = named(r, t.Names, d.Config.Language); err != nil {
		return "", "", err
	}
	t.Kind, t.Internal = story.TopicKind(r.PostForm.Get("kind")), r.PostForm.Get("internal") != ""
	if !slices.Contains(topicKinds[:], t.Kind) {
		return "", "", fault.New(fault.Invalid, "there is no such kind of topic")
	}
	err = d.Stories.SaveTopic(ctx, tx, &t)
	return was, t.Slug, err
}

// setAliases reads names with commas between, of any script.
func setAliases(t *story.Topic, lang, text string) {
	var list []string
	for _, name := range strings.FieldsFunc(cut(text, maxText), func(r rune) bool { return r == ',' || r == '،' || r == ';' || r == '؛' || r == '\n' }) {
		if name = cleanText(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		delete(t.Aliases, lang)
		return
	}
	if t.Aliases == nil {
		t.Aliases = map[string][]string{}
	}
	t.Aliases[lang] = list
}

func (d *Desk) saveAuthor(ctx context.Context, tx *db.Tx, r *http.Request, id string, isNew bool) (was, is string, err error) {
	a := story.Writer{ID: id}
	if !isNew {
		if a, err = d.Stories.WriterByID(ctx, tx, id); err != nil {
			return "", "", err
		}
	}
	was = a.Slug
	d.formNames(r, "name", &a.Names)
	d.formNames(r, "text", &a.Biographies)
	if a.Slug, err = named(r, a.Names, d.Config.Language); err != nil {
		return "", "", err
	}
	a.Handle, a.Website, a.Email = cleanLine(r.PostForm.Get("handle")), strings.TrimSpace(r.PostForm.Get("website")), cleanLine(r.PostForm.Get("email"))
	if u, err := url.Parse(a.Website); a.Website != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(a.Website) > 500) {
		return "", "", fault.New(fault.Invalid, "the website is no address").WithHint("write it with https:// before it")
	}
	if a.StaffID = legible(r.PostForm.Get("staff")); a.StaffID != "" {
		people, err := d.Staff.List(ctx, tx)
		if err != nil {
			return "", "", err
		}
		known := false
		for _, p := range people {
			known = known || p.ID == a.StaffID
		}
		if !known {
			return "", "", fault.New(fault.Invalid, "nobody of the staff is that")
		}
	}
	err = d.Stories.SaveWriter(ctx, tx, &a)
	return was, a.Slug, err
}

// authorPortrait serves "POST /desk/subjects/authors/{subject}/portrait".
func (d *Desk) authorPortrait(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	if r.PathValue("area") != authorsArea {
		return fault.New(fault.NotFound, "only an author has a portrait")
	}
	id, picture := legible(r.PathValue("subject")), legible(r.PostForm.Get("medium"))
	err := d.change(r, "author:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		a, err := d.Stories.WriterByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if picture != "" {
			m, err := d.Media.ByID(ctx, tx, picture)
			if err != nil {
				return err
			}
			if m.Kind != media.Picture {
				return fault.New(fault.Invalid, "a portrait is a picture")
			}
		}
		a.PortraitID, detail["portrait"] = picture, picture
		return d.Stories.SaveWriter(ctx, tx, &a)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/subjects/authors/"+id, "subject_saved")
}

// subjectMerge serves "POST /desk/subjects/{area}/{subject}/merge", of topics
// and authors.
func (d *Desk) subjectMerge(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	area, id, into := r.PathValue("area"), legible(r.PathValue("subject")), legible(r.PostForm.Get("into"))
	kind := map[string]string{topicsArea: "topic", authorsArea: "author"}[area]
	if kind == "" {
		return fault.New(fault.NotFound, "these are not merged", "area", area)
	}
	err := d.change(r, kind+":"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		var moved int
		if area == topicsArea {
			t, err := d.Stories.TopicByID(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := d.WallStore.Free(ctx, tx, kind, t.Slug); err != nil {
				return err
			}
			detail["merged"] = t.Slug
			moved, err = d.Stories.MergeTopics(ctx, tx, id, into, d.Config.Languages)
			detail["into"], detail["stories"] = into, strconv.Itoa(moved)
			return err
		}
		a, err := d.Stories.WriterByID(ctx, tx, id)
		if err != nil {
			return err
		}
		moved, err = d.Stories.MergeWriters(ctx, tx, id, into, d.Config.Languages)
		detail["merged"], detail["into"], detail["stories"] = a.Slug, into, strconv.Itoa(moved)
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/subjects/"+area+"/"+into, "subject_merged")
}

// subjectDelete serves "POST /desk/subjects/{area}/{subject}/delete". A
// section's stories go to another in one go.
func (d *Desk) subjectDelete(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	area, id := r.PathValue("area"), legible(r.PathValue("subject"))
	kind, ok := map[string]string{sectionsArea: "section", topicsArea: "topic", authorsArea: "author"}[area]
	if !ok {
		return fault.New(fault.NotFound, "there is no such list", "area", area)
	}
	err := d.change(r, kind+":"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		switch area {
		case topicsArea:
			t, err := d.Stories.TopicByID(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := d.WallStore.Free(ctx, tx, kind, t.Slug); err != nil {
				return err
			}
			detail["deleted"] = t.Slug
			return d.Stories.DeleteTopic(ctx, tx, id)
		case authorsArea:
			a, err := d.Stories.WriterByID(ctx, tx, id)
			if err != nil {
				return err
			}
			detail["deleted"] = a.Slug
			return d.Stories.DeleteWriter(ctx, tx, id)
		}
		s, err := d.Stories.SectionByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := d.WallStore.Free(ctx, tx, kind, s.Slug); err != nil {
			return err
		}
		into := legible(r.PostForm.Get("into"))
		moved, err := d.Stories.DeleteSection(ctx, tx, id, into, d.Config.Languages)
		detail["deleted"], detail["into"], detail["stories"] = s.Slug, into, strconv.Itoa(moved)
		return err
	})
	if err != nil {
		return err
	}
	to := "/desk/subjects"
	if area != sectionsArea {
		to += "/" + area
	}
	return done(w, r, to, "subject_deleted")
}
