package app

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"crypto"
)

// provider speaks OpenID Connect as Keycloak does: discovery, authorize, token with PKCE, keys, userinfo. What it says can be
// bent by a test.
type openID struct {
	t   *testing.T
	web *httptest.Server
	key *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]url.Values // what was asked for, by code
	user   map[string]any        // claims of who logs in
	access map[string]any        // claims of the access token; nil is one that nobody can read
	info   map[string]any        // of userinfo
	bend   func(header, claims map[string]any)
	sign   func(unsigned string) []byte
	forget bool // discovery names another issuer
}

func newOpenID(t *testing.T) *openID {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &openID{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /realms/staff/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /realms/staff/auth", p.authorize)
	mux.HandleFunc("POST /realms/staff/token", p.token)
	mux.HandleFunc("GET /realms/staff/certs", p.keys)
	mux.HandleFunc("GET /realms/staff/userinfo", p.userinfo)
	p.web = httptest.NewServer(mux)
	t.Cleanup(p.web.Close)
	return p
}

func (p *openID) issuer() string { return p.web.URL + "/realms/staff" }

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *openID) discovery(w http.ResponseWriter, _ *http.Request) {
	issuer := p.issuer()
	if p.forget {
		issuer = "https://evil.example"
	}
	answerJSON(w, 200, map[string]any{"issuer": issuer, "authorization_endpoint": p.issuer() + "/auth", "token_endpoint": p.issuer() + "/token",
		"jwks_uri": p.issuer() + "/certs", "userinfo_endpoint": p.issuer() + "/userinfo", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"},
		"code_challenge_methods_supported": []string{"S256"}, "authorization_response_iss_parameter_supported": true})
}

// authorize logs the user in at once and sends the browser back.
func (p *openID) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != "patchscout" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "bad request: "+r.URL.RawQuery, 400)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	back := q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.issuer()}, "session_state": {"abc.def"}}.Encode()
	http.Redirect(w, r, back, http.StatusFound)
}

// token gives a code's tokens once, to who has the secret and the verifier.
func (p *openID) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		answerJSON(w, 400, map[string]string{"error": "invalid_request"})
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id != "patchscout" || secret != "s3cret" {
		answerJSON(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	p.mu.Lock()
	asked, known := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if !known || subtle.ConstantTimeCompare([]byte(challenge), []byte(asked.Get("code_challenge"))) != 1 || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") {
		answerJSON(w, 400, map[string]string{"error": "invalid_grant", "error_description": "no such code"})
		return
	}
	access := "opaque-" + rand.Text()
	if p.access != nil {
		access = p.jwt(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k1"}, p.claims(p.access, map[string]any{"azp": "patchscout", "aud": "account"}), p.rs256)
	}
	half := sha256.Sum256([]byte(access))
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k1"}
	claims := p.claims(p.user, map[string]any{"aud": "patchscout", "nonce": asked.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(half[:16])})
	sign := p.rs256
	if p.sign != nil {
		sign = p.sign
	}
	if p.bend != nil {
		p.bend(header, claims)
	}
	answerJSON(w, 200, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.jwt(header, claims, sign)})
}

func (p *openID) claims(own, more map[string]any) map[string]any {
	out := map[string]any{"iss": p.issuer(), "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix()}
	maps.Copy(out, more)
	maps.Copy(out, own)
	return out
}

func (p *openID) jwt(header, claims map[string]any, sign func(string) []byte) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			p.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	unsigned := part(header) + "." + part(claims)
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(sign(unsigned))
}

func (p *openID) rs256(unsigned string) []byte { return signWith(p.t, p.key, unsigned) }

func signWith(t *testing.T, key *rsa.PrivateKey, unsigned string) []byte {
	sum := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return signature
}

func (p *openID) keys(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, 200, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())}}})
}

func (p *openID) userinfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		answerJSON(w, 401, map[string]string{"error": "invalid_token"})
		return
	}
	info := map[string]any{"sub": p.user["sub"]}
	maps.Copy(info, p.info)
	answerJSON(w, 200, info)
}
