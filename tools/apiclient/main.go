// Command apiclient uses a client that was generated from the newsroom's OpenAPI
// document as its users would: it is given an address and a token, begins a story,
// publishes it, reads it, hears of it by webhook, and withdraws it. It is built by a
// test of the program alone (internal/app), which generates package client first.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"masthead/tools/apiclient/client"
)

type message struct {
	kind, story string
	err         error
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the generated client has written, published, read, heard and withdrawn")
}

func run(ctx context.Context, address, token string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	api, err := client.NewClientWithResponses(address, client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
	if err != nil {
		return err
	}

	secret := make(chan string, 1)
	heard := make(chan message, 20)
	key := sync.OnceValue(func() string { return <-secret }) // messages may come at once
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard <- read(r, key())
	}))
	defer receiver.Close()
	hook, err := api.CreateWebhookWithResponse(ctx, nil, client.NewWebhook{Url: receiver.URL, Events: []string{"story.published", "story.withdrawn"}})
	if err != nil || hook.JSON201 == nil {
		return failed("create-webhook", hook, err)
	}
	secret <- *hook.JSON201.Secret

	headline, text := "The weir breaks", "Water stood in the street at noon."
	sections, err := api.ListSectionsWithResponse(ctx)
	if err != nil || sections.JSON200 == nil || len(sections.JSON200.Sections) == 0 {
		return failed("list-sections", sections, err)
	}
	section := sections.JSON200.Sections[0].Slug
	once := "apiclient-" + time.Now().Format(time.RFC3339Nano)
	story := client.NewStory{Section: &section, Edition: client.NewEdition{Lang: "en", Headline: &headline, Body: &client.NewWords{Text: &text}}}
	made, err := api.CreateStoryWithResponse(ctx, &client.CreateStoryParams{IdempotencyKey: &once}, story)
	if err != nil || made.JSON201 == nil {
		return failed("create-story", made, err)
	}
	again, err := api.CreateStoryWithResponse(ctx, &client.CreateStoryParams{IdempotencyKey: &once}, story)
	if err != nil || again.JSON201 == nil || again.JSON201.Id != made.JSON201.Id {
		return failed("create-story with the same key", again, err)
	}
	id := made.JSON201.Editions[0].Id
	edition, err := api.GetEditionWithResponse(ctx, id, nil)
	if err != nil || edition.JSON200 == nil {
		return failed("get-edition", edition, err)
	}
	tag, summary := edition.HTTPResponse.Header.Get("ETag"), "Early."
	changed, err := api.ChangeEditionWithResponse(ctx, id, &client.ChangeEditionParams{IfMatch: &tag}, client.EditionChange{Summary: &summary})
	if err != nil || changed.JSON200 == nil {
		return failed("change-edition", changed, err)
	}
	stale, err := api.ChangeEditionWithResponse(ctx, id, &client.ChangeEditionParams{IfMatch: &tag}, client.EditionChange{Summary: &headline})
	if err != nil || stale.StatusCode() != http.StatusPreconditionFailed {
		return failed("a stale change-edition", stale, err)
	}
	approved, err := api.ApproveEditionWithResponse(ctx, id, nil, client.Move{})
	if err != nil || approved.JSON200 == nil {
		return failed("approve-edition", approved, err)
	}
	reason := "a test"
	published, err := api.PublishEditionWithResponse(ctx, id, nil, client.Move{Reason: &reason})
	if err != nil || published.JSON200 == nil {
		return failed("publish-edition", published, err)
	}
	got, err := api.GetStoryWithResponse(ctx, id, nil)
	if err != nil || got.JSON200 == nil || got.JSON200.Headline != headline || !strings.Contains(got.JSON200.Body.Html, text) {
		return failed("get-story", got, err)
	}
	if err := expect(ctx, heard, "story.published", made.JSON201.Id); err != nil {
		return err
	}
	note := "It was wrong."
	withdrawn, err := api.WithdrawEditionWithResponse(ctx, id, nil, client.Move{Note: &note})
	if err != nil || withdrawn.JSON200 == nil {
		return failed("withdraw-edition", withdrawn, err)
	}
	gone, err := api.GetStoryWithResponse(ctx, id, nil)
	if err != nil || gone.StatusCode() != http.StatusGone || gone.ApplicationproblemJSON410 == nil {
		return failed("get-story after it was withdrawn", gone, err)
	}
	return expect(ctx, heard, "story.withdrawn", made.JSON201.Id)
}

// read checks a message as Standard Webhooks has receivers do.
func read(r *http.Request, secret string) message {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return message{err: err}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return message{err: err}
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
		return message{err: fmt.Errorf("the signature is %s, not %s", r.Header.Get("webhook-signature"), want)}
	}
	var m struct {
		Type string
		Data struct{ Story string }
	}
	err = json.Unmarshal(body, &m)
	return message{m.Type, m.Data.Story, err}
}

func expect(ctx context.Context, heard chan message, kind, story string) error {
	for {
		select {
		case m := <-heard:
			if m.err != nil {
				return m.err
			}
			if m.kind == kind && m.story == story {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("nothing was heard of %s", kind)
		}
	}
}

type answer interface{ StatusCode() int }

func failed(what string, a answer, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if b, ok := a.(interface{ GetBody() []byte }); ok {
		return fmt.Errorf("%s: %d %s", what, a.StatusCode(), b.GetBody())
	}
	return fmt.Errorf("%s: %d", what, a.StatusCode())
}
