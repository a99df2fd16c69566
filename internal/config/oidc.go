package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// OIDC is the OpenID provider with which people may log in: Keycloak, Entra, Google or another. Without an issuer there is
// none.
type OIDC struct {
	Issuer       string   `koanf:"issuer"`        // https://login.example.org/realms/staff, exactly as the provider writes it
	ClientID     string   `koanf:"client_id"`     // as registered with the provider
	ClientSecret Secret   `koanf:"client_secret"` // "" for a public client
	RedirectURL  string   `koanf:"redirect_url"`  // of this server: https://scout.example.org/api/v1/auth/oidc/callback
	Scopes       []string `koanf:"scopes"`        // asked for beside openid
	RoleClaim    string   `koanf:"role_claim"`    // where roles or groups are: roles, groups, realm_access.roles, email
	Admin        []string `koanf:"admin"`         // values of the claim that make an admin
	Analyst      []string `koanf:"analyst"`       // an analyst
	Viewer       []string `koanf:"viewer"`        // a viewer
	DefaultRole  string   `koanf:"default_role"`  // of everybody else whom the provider knows; "" lets nobody else in
	Sites        []string `koanf:"sites"`         // that a new user sees; none is all
	Name         string   `koanf:"name"`          // on the button
}

func defaultOIDC() OIDC {
	return OIDC{Scopes: []string{"profile", "email"}, RoleClaim: "roles", Name: "single sign-on"}
}

func (o OIDC) validate() error {
	if o.Issuer == "" {
		return nil
	}
	switch {
	case !isHTTP(o.Issuer):
		return fault.Invalid("oidc.issuer: want https://host/… without query")
	case !safe(o.Issuer):
		return fault.Invalid("oidc.issuer: want https, since whoever reads along could log in as anybody")
	case o.ClientID == "":
		return fault.Invalid("oidc.client_id: the provider has to know the server by one")
	case !isHTTP(o.RedirectURL) || !safe(o.RedirectURL) || !strings.HasSuffix(o.RedirectURL, "/api/v1/auth/oidc/callback"):
		return fault.Invalid("oidc.redirect_url: want https://SERVER/api/v1/auth/oidc/callback, as registered with the provider")
	case !slices.Contains([]string{"", "viewer", "analyst", "admin"}, o.DefaultRole):
		return fault.Invalid("oidc.default_role %q: want viewer, analyst or admin, or nothing to let in only whom the claim names", o.DefaultRole)
	case o.RoleClaim == "" && o.DefaultRole == "":
		return fault.Invalid("oidc.role_claim: without it and oidc.default_role nobody could log in")
	}
	return nil
}

// safe says whether nobody can read along: https, or this machine.
func safe(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || loopback(u.Hostname()))
}
