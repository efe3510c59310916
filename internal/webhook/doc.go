// Package webhook tells other programs what happens in the newsroom: by POST to
// the address of each [Hook] that asks for the event, signed as Standard Webhooks
// has it (https://www.standardwebhooks.com), version 1.
//
//	hooks := &webhook.Store{Now: time.Now, Keys: keys, Stories: stories, Client: fetch.New(fetch.Options{Redirects: -1})}
//	stories.Changed = append(stories.Changed, hooks.StoryChanged)
//	hook, secret, err := hooks.Create(ctx, tx, webhook.Hook{URL: "https://example.org/hook", Events: []webhook.Event{webhook.StoryPublished}})
//
// A [Delivery] is written down in the transaction of the change that it tells
// of, with the job that brings it ([Store.Deliver]): when the change is rolled
// back nobody hears of it. It is tried for a day, later and later; a receiver
// that takes nothing for five days is switched off. Something may come twice, under
// the same webhook-id, and not always in order.
//
// What is sent names things and holds no text that the wall could withhold: who
// wants more asks the API.
package webhook
