package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// tokenPrefix makes API tokens known to people and to programs that look for secrets in the wrong place.
const tokenPrefix = "ps_"

// secretLength is of 32 random bytes in URL-safe base64.
const secretLength = 43

// NewSecret returns 256 random bits as text.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, or ends the program
	return base64.RawURLEncoding.EncodeToString(b)
}

// NewToken returns an API token, which is shown once, and what is kept of it.
func NewToken() (token string, hash []byte) {
	token = tokenPrefix + NewSecret()
	return token, Digest(token)
}

// LooksLikeToken says whether text has the form of an API token.
func LooksLikeToken(text string) bool {
	return strings.HasPrefix(text, tokenPrefix) && len(text) == len(tokenPrefix)+secretLength
}

// LooksLikeSecret says whether text has the form of a secret.
func LooksLikeSecret(text string) bool { return len(text) == secretLength }

// Digest is what is kept of a secret of 256 random bits: SHA-256 is enough for those, it cannot be guessed backwards.
func Digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CSRFToken is what a page must send beside its session's cookie when it changes anything. It follows from the session's
// secret, so nothing more is kept, and ends with it.
func CSRFToken(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("patchscout csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// SameCSRF compares in constant time.
func SameCSRF(session, sent string) bool {
	return session != "" && subtle.ConstantTimeCompare([]byte(CSRFToken(session)), []byte(sent)) == 1
}
