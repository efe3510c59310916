package blob_test

import (
	"context"
	"testing"

	"masthead/internal/blob"
	"masthead/internal/blob/blobtest"
	"masthead/internal/fault"
)

// TestS3 runs against the server of [blobtest.S3]. S3 lets nobody read half an
// object; s3rver does, so there every writer has its own name.
func TestS3(t *testing.T) {
	config, whole := blobtest.S3(t)
	ctx := context.Background()
	s, err := blob.OpenS3(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("conform", func(t *testing.T) { conform(t, s, whole) })
	t.Run("prefix", func(t *testing.T) {
		config := config
		config.Prefix = "newsroom-2/"
		s, err := blob.OpenS3(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		conform(t, s, whole)
	})
	t.Run("no such bucket", func(t *testing.T) {
		config := config
		config.Bucket = "nowhere"
		if _, err := blob.OpenS3(ctx, config); !fault.Is(err, fault.NotFound) {
			t.Errorf("OpenS3: %v", err)
		}
	})
}

func TestS3Endpoint(t *testing.T) {
	for _, endpoint := range []string{"", "s3.example.org", "ftp://s3.example.org", "https://s3.example.org/bucket", "https://"} {
		if _, err := blob.OpenS3(context.Background(), blob.S3Config{Endpoint: endpoint, Bucket: "b"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("OpenS3(%q): %v", endpoint, err)
		}
	}
}
