package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ScopeList is what may be scanned: the limits that hold for who asks, in the order in which they decide, and the rules that
// administrators keep on the server.
type ScopeList struct {
	Networks []Network   `json:"networks"`
	Rules    []ScopeRule `json:"rules"`
}

// Network is something that may be scanned or not, and by whose word.
type Network struct {
	Network string `json:"network" example:"192.168.0.0/16"`
	Why     string `json:"why" example:"allowed: a private network"`
}

// ScopeRule is a rule on what may be scanned that an administrator keeps on the server.
type ScopeRule struct {
	ID        int64     `json:"id" example:"3"`
	Network   string    `json:"network" example:"198.51.100.0/24" doc:"a network, an address, a host name or *.DOMAIN"`
	Deny      bool      `json:"deny" example:"false" doc:"denies it; a rule that denies wins over all that allow"`
	Site      Text      `json:"site" example:"default" doc:"of scans in this site only; null is every site"`
	Role      Text      `json:"role" example:"analyst" doc:"the least role that it is for; null is everybody who may scan"`
	User      Text      `json:"user" example:"anna" doc:"the one user that it is for; null is everybody"`
	Note      Text      `json:"note" example:"agreed with the hosting provider, ticket 4711"`
	By        Text      `json:"by" example:"admin"`
	CreatedAt time.Time `json:"created_at" example:"2027-01-31T09:00:00Z"`
	Until     Date      `json:"until" example:"2027-12-31" doc:"the last day on which it holds; null is no end"`
	Over      bool      `json:"over" example:"false" doc:"whether that day has passed"`
}

// ScopeCheck says what would happen to targets.
type ScopeCheck struct {
	Site    string        `json:"site" example:"default"`
	Allowed bool          `json:"allowed" example:"true" doc:"whether a scan of all of them would begin"`
	Targets []ScopeAnswer `json:"targets"`
}

// ScopeAnswer is what would happen to one target.
type ScopeAnswer struct {
	Target    string      `json:"target" example:"www.example.org"`
	Allowed   bool        `json:"allowed" example:"false" doc:"whether all of it may be scanned"`
	Reason    string      `json:"reason" example:"outside of the scan scope: loopback, private networks and what an administrator added"`
	Addresses int         `json:"addresses" example:"1" doc:"that it comes to"`
	Denied    int         `json:"denied" example:"1" doc:"of them"`
	Hosts     []ScopeHost `json:"hosts" doc:"the first addresses that are denied, or the first of all where none is"`
}

// ScopeHost is one address of a target.
type ScopeHost struct {
	Address string `json:"address" example:"203.0.113.7"`
	Allowed bool   `json:"allowed" example:"false"`
	Reason  string `json:"reason" example:"outside of the scan scope: loopback, private networks and what an administrator added"`
}

// ScopeTable lists what may be scanned.
func ScopeTable(w io.Writer, list ScopeList, t Terminal) error {
	g := &grid{columns: []column{{Title: "NETWORK"}, {Title: "WHY", Flex: 20}}}
	for _, n := range list.Networks {
		g.add(plainCells(n.Network, n.Why)...)
	}
	if err := g.draw(w, t); err != nil || len(list.Rules) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(w, "\nRules of the server:"); err != nil {
		return err
	}
	g = &grid{columns: []column{{Title: "ID"}, {Title: "NETWORK"}, {Title: "SAYS"}, {Title: "SITE"}, {Title: "FOR"}, {Title: "UNTIL"}, {Title: "NOTE", Flex: 20}}}
	for _, r := range list.Rules {
		g.add(plainCells(strconv.FormatInt(r.ID, 10), r.Network, r.says(), orAny(string(r.Site), "all"), orAny(r.people(), "all who may scan"),
			r.end(), string(r.Note))...)
	}
	return g.draw(w, t)
}

func (r ScopeRule) says() string {
	if r.Deny {
		return "denied"
	}
	return "allowed"
}

func (r ScopeRule) people() string {
	switch {
	case r.User != "":
		return "user " + string(r.User)
	case r.Role != "":
		return "role " + string(r.Role)
	}
	return ""
}

func (r ScopeRule) end() string {
	switch {
	case r.Over:
		return r.Until.Format(time.DateOnly) + ", over"
	case r.Until.IsZero():
		return ""
	}
	return r.Until.Format(time.DateOnly)
}

func orAny(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

// ScopeCheckTable says what would happen to targets.
func ScopeCheckTable(w io.Writer, c ScopeCheck, t Terminal) error {
	g := &grid{columns: []column{{Title: "TARGET"}, {Title: "MAY BE SCANNED"}, {Title: "WHY", Flex: 20}}}
	for _, a := range c.Targets {
		answer := "yes"
		switch {
		case a.Denied > 0 && a.Denied < a.Addresses:
			answer = fmt.Sprintf("no: %d of %d addresses may not", a.Denied, a.Addresses)
		case !a.Allowed:
			answer = "no"
		}
		g.add(plainCells(a.Target, answer, a.Reason)...)
	}
	return g.draw(w, t)
}
