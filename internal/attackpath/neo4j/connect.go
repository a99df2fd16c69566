package neo4j

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/notifications"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

const (
	connectTime  = 5 * time.Second // for one address, and again for the login
	retryTime    = 5 * time.Second // a transaction that failed for the moment
	connections  = 4
	maxAddresses = 4
)

// place is where the database is.
type place struct {
	secure         bool
	host, port     string
	user, password string
}

func (p place) String() string {
	scheme := "bolt"
	if p.secure {
		scheme = "bolt+s"
	}
	return scheme + "://" + net.JoinHostPort(p.host, p.port)
}

// CheckURL says what is wrong with the URL of a graph database. It does not repeat it: there may be a password in it.
func CheckURL(raw string) error {
	_, err := parse(Options{URL: raw})
	return err
}

const wanted = "want bolt://host:7687, or bolt+s:// with TLS"

func parse(o Options) (place, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return place{}, fault.Invalid("the URL of the graph database is malformed: " + wanted)
	}
	switch u.Scheme {
	case "bolt", "bolt+s":
	case "neo4j", "neo4j+s", "neo4j+ssc":
		// The server would name the addresses to go on with, which nobody wrote down.
		return place{}, fault.Invalid("the URL of the graph database: %s:// would go wherever the server sends it; %s", u.Scheme, wanted)
	default:
		return place{}, fault.Invalid("the URL of the graph database has the scheme %.20q: %s", u.Scheme, wanted)
	}
	p := place{secure: u.Scheme == "bolt+s", host: u.Hostname(), port: cmp.Or(u.Port(), "7687"), user: o.User, password: o.Password}
	if n, err := strconv.ParseUint(p.port, 10, 16); err != nil || n == 0 {
		return place{}, fault.Invalid("the URL of the graph database has the port %.20q: %s", p.port, wanted)
	}
	if p.host == "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return place{}, fault.Invalid("the URL of the graph database names no host, or more than a host and port: " + wanted)
	}
	if p.user == "" && u.User != nil {
		p.user = u.User.Username()
		p.password, _ = u.User.Password()
	}
	return p, nil
}

// connect tries the addresses of the host, in their order. The driver is given an address that was judged, never the name:
// it would ask for it again, and connect to whatever comes then.
func (p place) connect(ctx context.Context, o Options) (driver.DriverWithContext, error) {
	limited, cancel := context.WithTimeout(ctx, connectTime)
	addresses, err := outbound.Addresses(limited, o.Resolver, p.host)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("graph database %s: %w", p, err)
	}
	last := error(fault.Unavailable("graph database %s: its name has no address", p))
	for _, a := range addresses[:min(len(addresses), maxAddresses)] {
		d, err := p.connectTo(ctx, a, o)
		if err == nil {
			return d, nil
		}
		if last = p.wrap(ctx, err); ctx.Err() != nil || fault.KindOf(last) == fault.KindDenied {
			break
		}
	}
	return nil, last
}

func (p place) connectTo(ctx context.Context, a netip.Addr, o Options) (driver.DriverWithContext, error) {
	target := "bolt://"
	if p.secure {
		target = "bolt+ssc://" // the name in the certificate is checked by verifying, since the driver sees only an address
	}
	login := driver.NoAuth()
	if p.user != "" {
		login = driver.BasicAuth(p.user, p.password, "")
	}
	d, err := driver.NewDriverWithContext(target+net.JoinHostPort(a.String(), p.port), login, func(c *config.Config) {
		c.TlsConfig = p.verifying(o.RootCAs)
		c.Log = nil // errors are returned, and its lines would repeat queries
		c.UserAgent = cmp.Or(o.Agent, "patchscout")
		c.TelemetryDisabled = true
		c.NotificationsMinSeverity = notifications.DisabledLevel
		c.SocketConnectTimeout = connectTime
		c.ConnectionAcquisitionTimeout = 2 * connectTime
		c.MaxTransactionRetryTime = retryTime
		c.MaxConnectionPoolSize = connections
	})
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, 2*connectTime)
	defer cancel()
	if err := d.VerifyConnectivity(limited); err != nil {
		_ = d.Close(context.WithoutCancel(ctx)) // what failed is said already
		return nil, err
	}
	return d, nil
}

// verifying checks chain and name of the server's certificate as TLS does, of the name that was configured.
func (p place) verifying(roots *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, VerifyConnection: func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return fault.Denied("the server shows no certificate")
		}
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: p.host, Roots: roots, Intermediates: between})
		return err
	}}
}

// wrap says in words what went wrong. Errors of the driver hold no text of the estate and no password.
func (p place) wrap(ctx context.Context, err error) error { return wrap(ctx, p.String(), err) }

func wrap(ctx context.Context, where string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("graph database %s: %w", where, ctx.Err())
	}
	if fault.KindOf(err) != fault.KindInternal {
		return fmt.Errorf("graph database %s: %w", where, err)
	}
	var unreached *driver.ConnectivityError
	if errors.As(err, &unreached) {
		err = unreached.Inner
	}
	var said *driver.Neo4jError
	if !errors.As(err, &said) {
		return fault.Unavailable("graph database %s: no Neo4j answers there: %w", where, err)
	}
	switch said.Code {
	case "Neo.ClientError.Security.Unauthorized", "Neo.ClientError.Security.AuthenticationRateLimit":
		return fault.Denied("graph database %s: it refuses the user name or the password (graph_user, graph_password)", where)
	case "Neo.ClientError.Security.CredentialsExpired":
		return fault.Denied("graph database %s: the password must be changed first: log in with cypher-shell", where)
	case "Neo.ClientError.Security.Forbidden":
		return fault.Denied("graph database %s: the user may not write there", where)
	}
	return fault.Unavailable("graph database %s: %w", where, err)
}
