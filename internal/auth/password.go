package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"

	"github.com/patchscout/patchscout/internal/fault"
)

// The bounds of a password: NIST SP 800-63B asks for 8 characters at least; beyond 1,024 bytes it is no password.
const (
	minPassword = 8
	maxPassword = 1024
)

// params are OWASP's for argon2id: 19 MiB, two passes, one thread; some 40 ms on one core.
var params = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashes bounds how many passwords are hashed at once in a process, and so the memory that strangers can take up.
// maxWaiting are let wait for their turn.
var (
	hashes     = make(chan struct{}, max(1, runtime.NumCPU()))
	waiting    = make(chan struct{}, maxWaiting)
	maxWaiting = 64
)

// common are passwords that are guessed first. Longer lists belong to an OpenID provider.
var common = strings.Fields(`password passw0rd password1 password123 12345678 123456789 1234567890 qwertyui qwertyuiop
	iloveyou admin123 administrator letmein1 welcome1 changeme patchscout sunshine princess football baseball trustno1
	11111111 00000000 abcd1234 1q2w3e4r qwerty123 changeit default1`)

// NewPassword returns a password that nobody guesses: 100 random bits.
func NewPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:20]
}

// CheckNewPassword says what is wrong with a password that somebody chose, never repeating it.
func CheckNewPassword(name, password string) error {
	plain, err := normal(password)
	switch {
	case err != nil:
		return err
	case utf8.RuneCountInString(plain) < minPassword:
		return fault.InvalidOption("password", ": want at least %d characters", minPassword)
	case strings.EqualFold(plain, name) || strings.Count(plain, plain[:1]) == len(plain):
		return fault.InvalidOption("password", ": it is guessed at once; choose another")
	}
	for _, c := range common {
		if strings.EqualFold(plain, c) {
			return fault.InvalidOption("password", ": it is on every list of passwords; choose another")
		}
	}
	return nil
}

// normal is a password in one Unicode form (RFC 8265, OpaqueString), so that it is the same from every keyboard.
func normal(password string) (string, error) {
	if len(password) > maxPassword {
		return "", fault.InvalidOption("password", ": want at most %d bytes", maxPassword)
	}
	plain, err := precis.OpaqueString.String(password)
	if err != nil || len(plain) > 3*maxPassword {
		return "", fault.InvalidOption("password", ": want visible characters and blanks")
	}
	return plain, nil
}

// HashPassword returns what is kept of a password. It waits for its turn; fault.Unavailable says that too many do.
func HashPassword(ctx context.Context, password string) (hash string, err error) {
	plain, err := normal(password)
	if err != nil {
		return "", err
	}
	err = inTurn(ctx, func() error {
		hash, err = argon2id.CreateHash(plain, params)
		return err
	})
	return hash, err
}

// samePassword says whether a password is the one that a hash was made of, and whether the hash was made with other
// parameters than today's. It takes as long for no hash at all, so that time does not tell who exists.
func samePassword(ctx context.Context, password, hash string) (same, outdated bool, err error) {
	known := hash != ""
	if !known {
		if hash, err = nobodysHash(); err != nil {
			return false, false, err
		}
	}
	plain, err := normal(password)
	if err != nil {
		plain, known = "", false
	}
	err = inTurn(ctx, func() error {
		var with *argon2id.Params
		same, with, err = argon2id.CheckHash(plain, hash)
		outdated = err == nil && *with != *params
		return err
	})
	if err != nil {
		return false, false, fmt.Errorf("compare a password: %w", err)
	}
	return same && known, outdated, nil
}

// nobodysHash is of a password that nobody knows.
var nobodysHash = sync.OnceValues(func() (string, error) { return argon2id.CreateHash(rand.Text(), params) })

func inTurn(ctx context.Context, fn func() error) error {
	select {
	case waiting <- struct{}{}:
		defer func() { <-waiting }()
	default:
		return fault.Unavailable("too many people log in at once: try again")
	}
	select {
	case hashes <- struct{}{}:
		defer func() { <-hashes }()
		return fn()
	case <-ctx.Done():
		return errors.Join(fault.Unavailable("the login was given up"), ctx.Err())
	}
}
