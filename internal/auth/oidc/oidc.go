// Package oidc asks an OpenID provider who somebody is: authorization code with PKCE, state and nonce (OpenID Connect Core
// 1.0, RFC 7636, RFC 9207). It never decides what somebody may do, and trusts nothing that the provider has not signed or
// said over its own connection.
package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/patchscout/patchscout/internal/fault"
)

// Config says which provider, and how the server is registered there.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURL  string
	Scopes       []string // beside openid
	RoleClaim    string   // where roles or groups are; "a.b" is b in a
	Now          func() time.Time
	// Door opens connections to the issuer's host, and over https to further ones.
	Door func(hosts []string) (http.RoundTripper, error)
}

// Person is who somebody is. Issuer and Subject identify; all else may change.
type Person struct {
	Issuer, Subject string
	Name            string   // as people know the person, not unique
	Values          []string // of the role claim
}

// Provider is one OpenID provider. It is safe for concurrent use, and asked what it offers when it is first needed.
type Provider struct {
	config Config

	mu      sync.Mutex
	offer   *offer
	offered time.Time
}

// offer is what the provider says of itself.
type offer struct {
	provider *oidc.Provider
	client   *http.Client
	algs     []string
	states   bool // whether it names itself in its answers (RFC 9207)
}

// offerHolds is how long it is believed; keys are asked for again whenever a token names another one.
const offerHolds = 24 * time.Hour

// New returns a provider, without asking it anything.
func New(config Config) *Provider { return &Provider{config: config} }

// patience is how long the provider may take for one answer.
const patience = 15 * time.Second

// Address is where the browser is sent to log in.
func (p *Provider) Address(ctx context.Context, state, nonce, verifier string) (string, error) {
	o, err := p.ask(ctx)
	if err != nil {
		return "", err
	}
	return p.client(o).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// NewVerifier returns the secret of PKCE.
func NewVerifier() string { return oauth2.GenerateVerifier() }

// Finish exchanges a code for who the person is. The error says for people what was wrong with the provider's answer;
// fault.Unavailable that there was none.
func (p *Provider) Finish(ctx context.Context, code, issuer, nonce, verifier string) (Person, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o, err := p.ask(ctx)
	if err != nil {
		return Person{}, err
	}
	if issuer != p.config.Issuer && (issuer != "" || o.states) {
		return Person{}, errors.New("the answer is of another provider")
	}
	ctx = oidc.ClientContext(ctx, o.client)
	tokens, err := p.client(o).Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Person{}, exchangeError(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return Person{}, errors.New("the provider sent no ID token")
	}
	token, err := o.provider.VerifierContext(ctx, p.checks(o, false)).Verify(ctx, raw)
	if err != nil {
		return Person{}, verifyError(err)
	}
	claims, err := p.claimsOf(token, nonce)
	if err != nil {
		return Person{}, err
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil {
		return Person{}, errors.New("the access token is not the one that belongs to the ID token")
	}
	person := Person{Issuer: token.Issuer, Subject: token.Subject, Name: nameOf(claims)}
	person.Values, err = p.values(ctx, o, claims, token.Subject, tokens)
	return person, err
}

// claimsOf checks what go-oidc leaves to its caller.
func (p *Provider) claimsOf(token *oidc.IDToken, nonce string) (map[string]any, error) {
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, errors.New("the ID token has no claims")
	}
	azp, _ := claims["azp"].(string)
	switch {
	case nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return nil, errors.New("the ID token is of another login")
	case token.Subject == "" || len(token.Subject) > 255:
		return nil, errors.New("the ID token does not say who")
	case len(token.Audience) > 1 && azp != p.config.ClientID, azp != "" && azp != p.config.ClientID:
		return nil, errors.New("the ID token was made for another program")
	}
	return claims, nil
}

func (p *Provider) checks(o *offer, access bool) *oidc.Config {
	return &oidc.Config{ClientID: p.config.ClientID, SkipClientIDCheck: access, SupportedSigningAlgs: o.algs, Now: p.config.Now}
}

// values are those of the role claim: of the ID token, else of what the provider tells about the user, else of the access
// token, where Keycloak puts roles unless told otherwise.
func (p *Provider) values(ctx context.Context, o *offer, claims map[string]any, subject string, tokens *oauth2.Token) ([]string, error) {
	if p.config.RoleClaim == "" {
		return nil, nil
	}
	if values := find(claims, p.config.RoleClaim); values != nil {
		return values, nil
	}
	if o.provider.UserInfoEndpoint() != "" {
		info, err := o.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return nil, fault.Unavailable("the provider does not tell about the user: %w", outside(err))
		}
		more := map[string]any{}
		if info.Subject != subject || info.Claims(&more) != nil {
			return nil, errors.New("the provider tells about another user")
		}
		if values := find(more, p.config.RoleClaim); values != nil {
			return values, nil
		}
	}
	access, err := o.provider.VerifierContext(ctx, p.checks(o, true)).Verify(ctx, tokens.AccessToken)
	if err != nil {
		return nil, nil //nolint:nilerr // most access tokens are for nobody to read: then there are no values
	}
	more := map[string]any{}
	if access.Subject != subject || access.Claims(&more) != nil || more["azp"] != p.config.ClientID {
		return nil, nil
	}
	return find(more, p.config.RoleClaim), nil
}

// find returns the texts of a claim: of that name, or below one another with dots. An address of mail counts when the
// provider has verified it. nil is none.
func find(claims map[string]any, path string) []string {
	if path == "email" && claims["email_verified"] != true {
		return nil
	}
	value, ok := claims[path]
	for !ok {
		name, rest, deeper := strings.Cut(path, ".")
		below, isMap := claims[name].(map[string]any)
		if !deeper || !isMap {
			return nil
		}
		claims, path = below, rest
		value, ok = claims[path]
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		values := []string{}
		for _, item := range v {
			if text, ok := item.(string); ok {
				values = append(values, text)
			}
		}
		return values
	}
	return nil
}

func nameOf(claims map[string]any) string {
	for _, key := range []string{"preferred_username", "upn", "email", "name", "sub"} {
		if text, ok := claims[key].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

func (p *Provider) client(o *offer) *oauth2.Config {
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, RedirectURL: p.config.RedirectURL,
		Endpoint: o.provider.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...)}
}

// discovery is what matters of the provider's document (OpenID Connect Discovery 1.0, section 3).
type discovery struct {
	Issuer   string   `json:"issuer"`
	Auth     string   `json:"authorization_endpoint"`
	Token    string   `json:"token_endpoint"`
	UserInfo string   `json:"userinfo_endpoint"`
	Keys     string   `json:"jwks_uri"`
	Algs     []string `json:"id_token_signing_alg_values_supported"`
	Names    bool     `json:"authorization_response_iss_parameter_supported"`
}

// asymmetric are the ways of signing that only the provider's key can do.
var asymmetric = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// ask returns what the provider offers, from memory where it is known.
func (p *Provider) ask(ctx context.Context) (*offer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offer != nil && p.config.Now().Sub(p.offered) < offerHolds {
		return p.offer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	doc, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	var hosts []string
	for _, address := range []string{doc.Token, doc.UserInfo, doc.Keys} {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			hosts = append(hosts, u.Hostname())
		}
	}
	door, err := p.config.Door(hosts)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: door, Timeout: patience}
	algs := slices.DeleteFunc(doc.Algs, func(alg string) bool { return !slices.Contains(asymmetric, alg) })
	if len(algs) == 0 {
		algs = []string{oidc.RS256}
	}
	described := oidc.ProviderConfig{IssuerURL: doc.Issuer, AuthURL: doc.Auth, TokenURL: doc.Token, UserInfoURL: doc.UserInfo, JWKSURL: doc.Keys, Algorithms: algs}
	// The keys outlive the request that asks for them first.
	provider := described.NewProvider(oidc.ClientContext(context.Background(), client))
	p.offer, p.offered = &offer{provider: provider, client: client, algs: algs, states: doc.Names}, p.config.Now()
	return p.offer, nil
}

// maxDiscovery bounds the provider's document.
const maxDiscovery = 1 << 20

func (p *Provider) discover(ctx context.Context) (doc discovery, err error) {
	door, err := p.config.Door(nil)
	if err != nil {
		return doc, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.config.Issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return doc, err
	}
	answer, err := (&http.Client{Transport: door, Timeout: patience}).Do(req)
	if err != nil {
		return doc, fault.Unavailable("the OpenID provider does not answer: %w", outside(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return doc, fault.Unavailable("the OpenID provider answers %s", answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxDiscovery)).Decode(&doc); err != nil {
		return doc, fault.Unavailable("the OpenID provider does not describe itself")
	}
	if doc.Issuer != p.config.Issuer {
		return doc, fault.Unavailable("the OpenID provider calls itself %.200q, and oidc.issuer is %q", doc.Issuer, p.config.Issuer)
	}
	return doc, nil
}

// outside leaves the address with its query out of an error.
func outside(err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		return sent.Err
	}
	return err
}

// exchangeError: what the provider says is for people only by its code; the rest might be anything.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		if refused.ErrorCode != "" {
			return errors.New("the provider refuses the code: " + refused.ErrorCode)
		}
		return errors.New("the provider refuses the code")
	}
	return fault.Unavailable("the OpenID provider does not answer: %w", outside(err))
}

func verifyError(err error) error {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return errors.New("the ID token has expired")
	}
	if strings.Contains(err.Error(), "fetching keys") {
		return fault.Unavailable("the OpenID provider does not tell its keys")
	}
	text := err.Error()
	return errors.New("the ID token is not good: " + strings.TrimPrefix(text, "oidc: "))
}
