package desk

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/media"
	"masthead/internal/story"
)

// TestLeadUpload sends the same picture for two stories: the library has it
// once, and it is found by its words for a third.
func TestLeadUpload(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		upload := func(slug, name string, content []byte) (code int, lead string) {
			e := o.add(t, slug, "en", slug, story.Draft, now, story.Story{})
			mark := formOf(o.ask("GET", "/desk/stories/"+e.ID+"/lead", nil).Body.String()).Get("mark")
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			form.WriteField("mark", mark)
			form.WriteField("alt", "A quay")
			part, _ := form.CreateFormFile("file", name)
			part.Write(content)
			form.Close()
			w := o.raw("POST", "/desk/stories/"+e.ID+"/lead/upload", form.FormDataContentType(), b.Bytes(), false)
			st, err := o.Stories.ByID(t.Context(), d.Read(), e.StoryID)
			if err != nil {
				t.Fatal(err)
			}
			return w.Code, st.LeadMediaID
		}
		code, first := upload("one", "quay.jpg", jpegPicture(t, 10))
		if code != http.StatusSeeOther || first == "" {
			t.Fatalf("upload = %d, lead %q", code, first)
		}
		if code, again := upload("two", "other.jpg", jpegPicture(t, 10)); code != http.StatusSeeOther || again != first {
			t.Errorf("the same picture again = %d, lead %q and not %q", code, again, first)
		}
		if code, lead := upload("three", "sound.mp3", append([]byte("ID3\x04"), make([]byte, 64)...)); code != http.StatusBadRequest || lead != "" {
			t.Errorf("a sound = %d, lead %q", code, lead)
		}
		if all, err := o.Media.List(t.Context(), d.Read(), media.Kind(""), "", 10); err != nil || len(all) != 1 {
			t.Errorf("the library has %d, %v", len(all), err)
		}
		e := o.add(t, "four", "en", "four", story.Draft, now, story.Story{})
		at := "/desk/stories/" + e.ID + "/lead?q="
		if page := o.ask("GET", at+"QUAY", nil).Body.String(); !strings.Contains(page, first) {
			t.Errorf("not found by its words:\n%s", page)
		}
		if page := o.ask("GET", at+"ferry", nil).Body.String(); strings.Contains(page, first) {
			t.Error("found by words that it does not have")
		}
	})
}
