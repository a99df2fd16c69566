package feed

import (
	"io"
	"net/url"
	"strings"
)

// withKey puts the key into a URL for the request itself.
func (f *Fetcher) withKey(from string) string {
	return strings.ReplaceAll(from, KeyMark, url.PathEscape(f.Key))
}

// hideKey takes the key out of what the network says: its errors repeat the URL that was asked.
func (f *Fetcher) hideKey(err error) error {
	if err == nil || f.Key == "" {
		return err
	}
	return &keyless{err: err, key: f.Key}
}

// keyless keeps the kind and the causes of its error, for errors.As and errors.Is, and shows its text without the key.
type keyless struct {
	err error
	key string
}

func (e *keyless) Error() string {
	text := strings.ReplaceAll(e.err.Error(), url.PathEscape(e.key), KeyMark)
	return strings.ReplaceAll(text, e.key, KeyMark)
}

func (e *keyless) Unwrap() error { return e.err }

// keylessBody is a response body whose errors do not show the key.
type keylessBody struct {
	io.ReadCloser
	fetcher *Fetcher
}

func (b keylessBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { //nolint:errorlint // readers compare with io.EOF itself
		return n, err
	}
	return n, b.fetcher.hideKey(err)
}
