package app

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/fault"
	"masthead/internal/mail"
)

// openBlobs opens the newsroom's folder of blobs, or the bucket that the
// setting names.
func openBlobs(ctx context.Context, c config.Config) (blob.Store, error) {
	if c.Blobs == "" {
		return blob.OpenFolder(filepath.Join(c.Dir, "blobs"))
	}
	return OpenStore(ctx, c, c.Blobs)
}

// OpenStore opens a folder, or a bucket with the keys of the settings:
// s3://BUCKET?endpoint=HOST[&region=R][&prefix=P][&path-style=true][&insecure=true].
func OpenStore(ctx context.Context, c config.Config, where string) (blob.Store, error) {
	if !strings.HasPrefix(where, "s3://") {
		return blob.OpenFolder(where)
	}
	u, err := url.Parse(where)
	if err != nil || u.Host == "" || u.Query().Get("endpoint") == "" {
		return nil, fault.New(fault.Invalid, "the address names no bucket").WithHint("write it as s3://BUCKET?endpoint=HOST")
	}
	q := u.Query()
	scheme := "https://"
	if q.Get("insecure") == "true" {
		scheme = "http://"
	}
	return blob.OpenS3(ctx, blob.S3Config{
		Endpoint: scheme + q.Get("endpoint"), Region: q.Get("region"), Bucket: u.Host, Prefix: q.Get("prefix"),
		AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey, PathStyle: q.Get("path-style") == "true",
	})
}

// openMail sends letters by the mail server that the settings name, or puts
// them into the folder "outbox".
func (a *App) openMail() (err error) {
	c := a.Config
	if c.SMTP == nil {
		if a.Outbox, err = mail.OpenOutbox(filepath.Join(c.Dir, "outbox")); err == nil {
			a.Mail = a.Outbox
		}
		return err
	}
	s := mail.SMTPConfig{Address: c.SMTP.Host, Security: mail.StartTLS, Username: c.SMTP.User.Username()}
	s.Password, _ = c.SMTP.User.Password()
	port := ":587"
	if c.SMTP.Scheme == "smtps" {
		s.Security, port = mail.TLS, ":465"
	} else if c.SMTP.Query().Get("tls") == "none" {
		s.Security = mail.Clear
	}
	if !strings.Contains(s.Address, ":") {
		s.Address += port
	}
	a.Mail, err = mail.NewSMTP(s)
	return err
}

// sender is the address that letters come from.
func sender(c config.Config) mail.Address {
	return mail.Address{Name: c.MailFrom.Name, Email: c.MailFrom.Address}
}
