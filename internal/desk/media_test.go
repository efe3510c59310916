package desk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/story"
)

func jpegPicture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	img.Set(3, 3, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngHeader is the head of a PNG that claims to have so many pixels.
func pngHeader(w, h uint32) []byte {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	b = append(b, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), b...), crc32.ChecksumIEEE(b))
}

type upload struct {
	name string
	raw  []byte
}

func uploadBody(t *testing.T, files ...upload) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, f := range files {
		part, err := form.CreateFormFile("file", f.name)
		if err != nil {
			t.Fatal(err)
		}
		part.Write(f.raw)
	}
	form.Close()
	return b.Bytes(), form.FormDataContentType()
}

// raw sends a body; script asks for JSON.
func (o *office) raw(method, path, kind string, body []byte, script bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if script {
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Idempotency-Key", "one")
	}
	for name, value := range o.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w
}

func (o *office) uploadFiles(t *testing.T, script bool, files ...upload) *httptest.ResponseRecorder {
	t.Helper()
	body, kind := uploadBody(t, files...)
	return o.raw("POST", "/desk/media/upload?lang=en", kind, body, script)
}

func TestMediaUpload(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		var m mediumJSON
		w := o.uploadFiles(t, true, upload{"At the Quay.jpg", jpegPicture(t, 10)})
		if err := json.Unmarshal(w.Body.Bytes(), &m); w.Code != 200 || err != nil || m.Kind != "picture" || m.Width != 64 || m.Known || m.Name != "at-the-quay.jpg" || m.Focal != (focalJSON{50, 50}) {
			t.Fatalf("upload = %d %s", w.Code, w.Body)
		}
		first := m.ID
		w = o.uploadFiles(t, true, upload{"again.jpg", jpegPicture(t, 10)})
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || m.ID != first || !m.Known {
			t.Errorf("the same again = %d %s", w.Code, w.Body)
		}
		if w := o.uploadFiles(t, false, upload{"again.jpg", jpegPicture(t, 10)}); w.Code != 303 || w.Header().Get("Location") != "/desk/media/"+first+"?done=media_known" {
			t.Errorf("the same by the form = %d %v", w.Code, w.Header())
		}
		for name, bad := range map[string]struct {
			upload
			status int
			says   string
		}{
			"200 megapixels": {upload{"large.png", pngHeader(20_000, 10_000)}, 413, "megapixels"},
			"bomb":           {upload{"bomb.png", pngHeader(60_000, 60_000)}, 413, "megapixels"},
			"svg":            {upload{"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)}, 400, "Save it as PNG"},
			"hidden svg":     {upload{"a.png", []byte(`<?xml version="1.0"?><svg onload=alert(1)>`)}, 400, "Save it as PNG"},
			"heic":           {upload{"a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")}, 400, "HEIC"},
			"empty":          {upload{"a.jpg", nil}, 400, "empty"},
			"broken":         {upload{"a.jpg", jpegPicture(t, 1)[:60]}, 400, "save it anew"},
		} {
			w := o.uploadFiles(t, true, bad.upload)
			if w.Code != bad.status || !strings.Contains(w.Body.String(), bad.says) || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s = %d %s", name, w.Code, w.Body)
			}
			if w := o.uploadFiles(t, false, bad.upload); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) {
				t.Errorf("%s by the form = %d", name, w.Code)
			}
		}
		// A connection that breaks in the middle leaves nothing behind.
		body, kind := uploadBody(t, upload{"cut.jpg", jpegPicture(t, 200)})
		if w := o.raw("POST", "/desk/media/upload", kind, body[:len(body)-200], true); w.Code != 400 || !strings.Contains(w.Body.String(), "nothing of it was kept") {
			t.Errorf("cut = %d %s", w.Code, w.Body)
		}
		if all, err := o.Media.List(t.Context(), d.Read(), "", "", 10); err != nil || len(all) != 1 {
			t.Errorf("%d are kept, %v", len(all), err)
		}
		// A refused file does not keep the others out.
		w = o.uploadFiles(t, false, upload{"one.jpg", jpegPicture(t, 60)}, upload{"x.svg", []byte("<svg/>")}, upload{"two.jpg", jpegPicture(t, 90)})
		if w.Code != 422 || strings.Count(w.Body.String(), ": added</li>") != 2 {
			t.Errorf("three at once = %d %s", w.Code, w.Body)
		}
		if w := o.ask("POST", "/desk/media/upload", url.Values{"file": {"x"}}); w.Code != 400 {
			t.Errorf("a form without a file = %d", w.Code)
		}
		w = o.raw("GET", "/desk/media.json?q=QUAY", "", nil, true)
		if !strings.Contains(w.Body.String(), first) || strings.Contains(w.Body.String(), "one.jpg") {
			t.Errorf("search = %s", w.Body)
		}
	})
}

func TestMedium(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		var m mediumJSON
		json.Unmarshal(o.uploadFiles(t, true, upload{"quay.jpg", jpegPicture(t, 10)}).Body.Bytes(), &m)
		at := "/desk/media/" + m.ID
		w := o.raw("POST", at, "application/json", []byte(`{"lang":"ar","alt":"رصيف <b>","credit":"Ana","focal":{"x":20.5,"y":80}}`), true)
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 || m.Alt != "رصيف <b>" || m.Focal != (focalJSON{20.5, 80}) || m.Credit != "Ana" {
			t.Fatalf("described = %d %s", w.Code, w.Body)
		}
		for _, bad := range []string{`{"alt":"x"}`, `{"lang":"en","focal":{"x":101,"y":0}}`, `{"nonsense":1}`, `[`} {
			if w := o.raw("POST", at, "application/json", []byte(bad), true); w.Code != 400 {
				t.Errorf("%s = %d", bad, w.Code)
			}
		}
		if w := o.ask("POST", at, url.Values{"alt-en": {"A quay"}, "caption-en": {"At dawn"}, "credit": {"Ana Ribeiro"}, "licence": {"CC BY 4.0"}, "focal_x": {"10"}, "focal_y": {"30"}}); w.Code != 303 {
			t.Fatalf("form = %d %s", w.Code, w.Body)
		}
		kept, err := o.Media.ByID(t.Context(), d.Read(), m.ID)
		if err != nil || kept.Alts["ar"] != "رصيف <b>" || kept.Alts["en"] != "A quay" || kept.Focal != (media.Focal{X: 100, Y: 300}) {
			t.Errorf("kept %+v, %v", kept, err)
		}
		for _, lang := range []string{"en", "ar"} {
			o.lang = lang
			if w := o.ask("GET", at, nil); w.Code != 200 || strings.Contains(w.Body.String(), "<b>") || !strings.Contains(w.Body.String(), "At dawn") {
				t.Errorf("page in %s = %d", lang, w.Code)
			}
			for _, q := range []string{"", "?q=ribeiro", "?kind=audio", "?state=unused", "?state=no_alt", "?state=ending"} {
				if w := o.ask("GET", "/desk/media"+q, nil); w.Code != 200 || strings.Contains(w.Body.String(), m.ID) != (q == "" || q == "?q=ribeiro" || q == "?state=unused") {
					t.Errorf("list%s in %s = %d", q, lang, w.Code)
				}
			}
		}
		o.lang = "en"
		// Rights end with the last day, by the newsroom's clock.
		if w := o.ask("POST", at+"/rights", url.Values{"rights": {"agency"}, "last_day": {"2026-11-21"}}); w.Code != 303 {
			t.Fatalf("rights = %d %s", w.Code, w.Body)
		}
		if ended, err := o.Media.Ended(t.Context(), d.Read(), []string{m.ID, noSuchID}); err != nil || len(ended) != 1 {
			t.Errorf("ended = %v, %v", ended, err)
		}
		if shown, err := o.Media.Shown(t.Context(), d.Read(), m.ID); err != nil || len(shown) != 0 {
			t.Errorf("shown = %v, %v", shown, err)
		}
		if w := o.ask("GET", at, nil); !strings.Contains(w.Body.String(), "Rights ended") || !strings.Contains(w.Body.String(), `value="2026-11-21"`) {
			t.Error("the page does not say that rights have ended")
		}
		for _, bad := range []url.Values{{"rights": {"stolen"}}, {"last_day": {"soon"}}} {
			if w := o.ask("POST", at+"/rights", bad); w.Code != 400 {
				t.Errorf("%v = %d", bad, w.Code)
			}
		}
		// What is used is not deleted, and it is said where.
		body := &doc.Node{Type: "doc", Content: []*doc.Node{{Type: "figure", Attrs: map[string]any{"media": m.ID}}}}
		st := story.Story{Kind: story.Report, OriginalLang: "en"}
		e := story.Edition{Lang: "en", Headline: "Ships & quays", Status: story.Draft, Body: body}
		o.tx(t, func(tx *db.Tx) error {
			if err := o.Stories.Save(t.Context(), tx, &st); err != nil {
				return err
			}
			e.StoryID = st.ID
			return o.Stories.SaveEdition(t.Context(), tx, &e, "ada")
		})
		if w := o.ask("POST", at+"/delete", url.Values{}); w.Code != 409 || !strings.Contains(w.Body.String(), "Ships &amp; quays") {
			t.Errorf("delete what is used = %d %s", w.Code, w.Body)
		}
		if w := o.ask("GET", "/desk/media?state=unused", nil); strings.Contains(w.Body.String(), m.ID) {
			t.Error("it is found among the unused")
		}
		file, kind := uploadBody(t, upload{"new.jpg", jpegPicture(t, 99)})
		if w := o.raw("POST", at+"/replace", kind, file, false); w.Code != 303 {
			t.Errorf("replace = %d %s", w.Code, w.Body)
		}
		after, err := o.Media.ByID(t.Context(), d.Read(), m.ID)
		if err != nil || after.Hash == kept.Hash || after.Alts["en"] != "A quay" || len(o.remade) == 0 {
			t.Errorf("replaced: %+v, %v", after, err)
		}
		file, kind = uploadBody(t, upload{"new.pdf", []byte("%PDF-1.7 words")})
		if w := o.raw("POST", at+"/replace", kind, file, false); w.Code != 422 {
			t.Errorf("replace by a file = %d", w.Code)
		}
		e.Body = doc.FromText("No picture.")
		o.tx(t, func(tx *db.Tx) error { return o.Stories.SaveEdition(t.Context(), tx, &e, "ada") })
		if w := o.ask("POST", at+"/delete", url.Values{}); w.Code != 303 {
			t.Errorf("delete = %d", w.Code)
		}
		if _, err := o.Media.ByID(t.Context(), d.Read(), m.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

func TestFindForTheEditor(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		a := o.add(t, "dredgers", "en", "The Dredgers’ Return", story.Published, now.Add(-time.Hour), story.Story{})
		b := o.add(t, "draft", "en", "Dredgers in draft", story.Draft, now, story.Story{})
		topic := story.Topic{Slug: "tripoli", Kind: story.Place, Names: story.Texts{"en": "Tripoli", "ar": "طرابلس"}, Aliases: map[string][]string{"ar": {"طَرابُلُس الشام"}}}
		o.tx(t, func(tx *db.Tx) error { return o.Stories.SaveTopic(t.Context(), tx, &topic) })
		var got struct {
			Stories []storyJSON `json:"stories"`
			Topics  []topicJSON `json:"topics"`
		}
		for _, try := range []struct {
			path string
			want int
		}{
			{"stories.json?q=dredgers'&lang=en", 1}, {"stories.json?q=nothing", 0}, {"stories.json?id=" + b.StoryID, 1}, {"stories.json?id=" + noSuchID, 0},
			{"topics.json?q=%D8%B7%D8%B1%D8%A7%D8%A8%D9%84%D8%B3&lang=ar", 1}, {"topics.json?q=trip&lang=fr", 1}, {"topics.json?q=en", 0},
		} {
			got.Stories, got.Topics = nil, nil
			w := o.raw("GET", "/desk/"+try.path, "", nil, true)
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got.Stories)+len(got.Topics) != try.want {
				t.Errorf("%s = %d %s", try.path, w.Code, w.Body)
			}
			if strings.Contains(try.path, "dredgers") && (got.Stories[0].ID != a.StoryID || got.Stories[0].URL != a.Path || got.Stories[0].Detail == "") {
				t.Errorf("%+v", got.Stories)
			}
		}
		// Those of the language come first, and each story comes once.
		o.add(t, "return", "ar", "عودة dredgers", story.Published, now.Add(-9*time.Hour), story.Story{ID: a.StoryID})
		c := o.add(t, "newer", "en", "Newer dredgers", story.Published, now.Add(-time.Minute), story.Story{})
		for _, try := range []struct {
			lang string
			want []string // stories and languages
		}{{"en", []string{c.StoryID, "en", a.StoryID, "en"}}, {"ar", []string{a.StoryID, "ar", c.StoryID, "en"}}, {"fr", []string{c.StoryID, "en", a.StoryID, "en"}}} {
			got.Stories = nil
			json.Unmarshal(o.raw("GET", "/desk/stories.json?q=dredgers&lang="+try.lang, "", nil, true).Body.Bytes(), &got)
			var list []string
			for _, s := range got.Stories {
				list = append(list, s.ID, s.Lang)
			}
			if !slices.Equal(list, try.want) {
				t.Errorf("in %s: %v, want %v", try.lang, list, try.want)
			}
		}
		if w := o.raw("GET", "/desk/stories.json?q=%00", "", nil, true); w.Code != 400 {
			t.Errorf("no text = %d", w.Code)
		}
	})
}
