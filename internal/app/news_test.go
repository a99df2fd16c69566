package app

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
)

// Programs that read news know a name and a password: the password is a token, and only there.
func TestNewsIsReadWithATokenAsThePassword(t *testing.T) {
	d := openDoor(t, nil)
	token := d.token(d.user("reader", auth.Viewer, false), auth.Viewer)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+token))
	for path, want := range map[string]int{
		"/api/v1/feeds/latest.rss": http.StatusOK, "/feeds/critical.atom": http.StatusOK, "/api/v1/scans": http.StatusUnauthorized,
	} {
		if got, body := d.ask(http.MethodGet, path, "", "Authorization", basic); got.StatusCode != want {
			t.Errorf("GET %s: %d %s, want %d", path, got.StatusCode, body, want)
		}
	}
	got, _ := d.ask(http.MethodGet, "/feeds/latest.rss", "")
	if want := `Basic realm="PatchScout: any name, a token as the password", charset="UTF-8"`; got.Header.Get("WWW-Authenticate") != want {
		t.Errorf("a reader is asked for %q", got.Header.Get("WWW-Authenticate"))
	}
}
