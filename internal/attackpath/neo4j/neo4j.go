// Package neo4j keeps the network of an estate in a Neo4j database, for people who would ask it in Cypher, and answers what
// attackpath.Graph is asked from there. Cypher finds what could lead to a goal; whether it does, and how likely, is judged
// by the graph that the opener hands in. It never puts text of an estate into a query, and never touches what is not its own.
//
//	(:EntryPoint)-[:LEADS_TO]->(:Step)-[:LEADS_TO]->(:State)-[:LEADS_TO]->(:Step)…(:State)-[:LEADS_TO]->(:Asset)
//
// A Step works when all of its `needs` States hold; its chance is `p`.
package neo4j

import (
	"context"
	"crypto/x509"
	"net"
	"sync"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Options say where the database is. Only URL must be there.
type Options struct {
	URL      string // bolt://host[:7687], bolt+s:// with TLS; a user and password in it count where User is ""
	User     string // "" asks without a login
	Password string
	Agent    string         // what the server's log calls us; "" is "patchscout"
	RootCAs  *x509.CertPool // of bolt+s; nil is the system's
	Resolver *net.Resolver  // nil is the system's

	// Rank makes an empty graph that judges what Cypher found: whether all needs are met, and which way is the likeliest.
	// Without it the database is only written to.
	Rank func() attackpath.Graph
}

// Picture is what is written: the network, and what makes it readable. All but the Network is optional.
type Picture struct {
	Network  *attackpath.Network
	Estate   *attackpath.Estate            // names of hosts, services, weaknesses that give nothing
	Describe func(attackpath.Fact) string  // a fact in words
	Chance   func(attackpath.Fact) float64 // of the best path to a fact
}

// Graph is a network in a Neo4j database. It is safe for concurrent use, also with those of other processes: a load that
// another one overtakes ends with an error.
type Graph struct {
	driver driver.DriverWithContext
	place  string // for messages, without user and password
	rank   func() attackpath.Graph

	mu    sync.Mutex
	ready bool // the constraints are there
}

var _ attackpath.Graph = (*Graph)(nil)

// Open connects and logs in. The error is fault.Invalid for a URL that is none, fault.Denied for a login that the server
// refuses or an address that may not be asked, fault.Unavailable where no Neo4j answers.
func Open(ctx context.Context, o Options) (*Graph, error) {
	at, err := parse(o)
	if err != nil {
		return nil, err
	}
	d, err := at.connect(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Graph{driver: d, place: at.String(), rank: o.Rank}, nil
}

// Close ends the connections. The network stays in the database.
func (g *Graph) Close(ctx context.Context) error { return g.driver.Close(ctx) }

// Load is Write of a network of which nothing else is known.
func (g *Graph) Load(ctx context.Context, n *attackpath.Network) error {
	return g.Write(ctx, Picture{Network: n})
}
