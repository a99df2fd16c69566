package auth

import "slices"

// OIDCAnswer is what an OpenID provider sends back by the browser, and the cookie of the browser that brings it.
type OIDCAnswer struct {
	Code, State, Issuer string
	Error, Description  string
	Browser             string
}

// RoleRules say which role the values of a claim make. The greatest wins; Default is without any, Nobody is not let in.
type RoleRules struct {
	Admin, Analyst, Viewer []string
	Default                Role
}

// Role returns the role of somebody with these values.
func (r RoleRules) Role(values []string) Role {
	for _, rule := range []struct {
		role Role
		of   []string
	}{{Admin, r.Admin}, {Analyst, r.Analyst}, {Viewer, r.Viewer}} {
		if slices.ContainsFunc(values, func(v string) bool { return slices.Contains(rule.of, v) }) {
			return rule.role
		}
	}
	return r.Default
}
