package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"masthead/internal/fault"
)

// S3Config tells where a bucket is and who may use it.
type S3Config struct {
	Endpoint  string // https://s3.eu-central-1.amazonaws.com, http://127.0.0.1:9000
	Region    string // "" lets the server tell
	Bucket    string
	Prefix    string // put before every name, "" or "newsroom/"
	AccessKey string
	SecretKey string
	PathStyle bool // the bucket is a part of the path (MinIO, Ceph), not of the host's name
}

// S3 keeps blobs in a bucket of a server that speaks S3.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// OpenS3 opens the bucket that c names, and fails when it cannot be reached or
// is not there.
func OpenS3(ctx context.Context, c S3Config) (*S3, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" || strings.Trim(endpoint.Path, "/") != "" {
		return nil, fault.New(fault.Invalid, "that is no S3 endpoint", "endpoint", c.Endpoint).WithHint("write it as https://HOST or http://HOST:PORT")
	}
	lookup := minio.BucketLookupDNS
	if c.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:       endpoint.Scheme == "https",
		Region:       c.Region,
		BucketLookup: lookup,
		MaxRetries:   5, // about ten seconds; the client's own 10 last minutes
	})
	if err != nil {
		return nil, fmt.Errorf("blob.OpenS3(%s): %w", c.Bucket, err)
	}
	exists, err := client.BucketExists(ctx, c.Bucket)
	if err != nil {
		return nil, fmt.Errorf("blob.OpenS3(%s): %w", c.Bucket, err)
	}
	if !exists {
		return nil, fault.New(fault.NotFound, "there is no such bucket", "bucket", c.Bucket).WithHint("make the bucket %s first", c.Bucket)
	}
	return &S3{client: client, bucket: c.Bucket, prefix: c.Prefix}, nil
}

// Put implements [Store]. Without a size it holds 16 MB in memory at a time.
func (s *S3) Put(ctx context.Context, name string, r io.Reader, size int64, mime string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	options := minio.PutObjectOptions{ContentType: mime}
	if size < 0 {
		options.PartSize = 16 << 20
	}
	if _, err := s.client.PutObject(ctx, s.bucket, s.prefix+name, r, size, options); err != nil {
		return fmt.Errorf("blob: put %s: %w", name, err)
	}
	return nil
}

// Open implements [Store]. The bytes are fetched as they are read; seeking
// opens a new request.
func (s *S3) Open(ctx context.Context, name string) (io.ReadSeekCloser, Info, error) {
	if err := CheckName(name); err != nil {
		return nil, Info{}, err
	}
	object, err := s.client.GetObject(ctx, s.bucket, s.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, Info{}, s.fault("open", name, err)
	}
	stat, err := object.Stat()
	if err != nil {
		object.Close()
		return nil, Info{}, s.fault("open", name, err)
	}
	return object, s.info(stat), nil
}

// Stat implements [Store].
func (s *S3) Stat(ctx context.Context, name string) (Info, error) {
	if err := CheckName(name); err != nil {
		return Info{}, err
	}
	stat, err := s.client.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.fault("stat", name, err)
	}
	return s.info(stat), nil
}

// Delete implements [Store].
func (s *S3) Delete(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{})
	if err = s.fault("delete", name, err); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

// List implements [Store].
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Info{}, err)
			return
		}
		for object := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
			if object.Err != nil {
				yield(Info{}, s.fault("list", prefix, object.Err))
				return
			}
			info := s.info(object)
			if CheckName(info.Name) != nil {
				continue // not ours
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *S3) info(o minio.ObjectInfo) Info {
	return Info{Name: strings.TrimPrefix(o.Key, s.prefix), Size: o.Size, ModTime: o.LastModified.UTC()}
}

// fault wraps what the server answered; nil stays nil.
func (s *S3) fault(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusNotFound || answer.Code == minio.NoSuchKey) {
		return notFound(name)
	}
	return fmt.Errorf("blob: %s %s: %w", op, name, err)
}
