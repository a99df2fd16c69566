package neo4j

import "fmt"

// label is a kind of node. Only these are ever put into the text of a query; all else goes as a parameter.
type label string

const (
	asset         label = "Asset"
	service       label = "Service"
	vulnerability label = "Vulnerability"
	site          label = "Site"
	entryPoint    label = "EntryPoint"
	state         label = "State"
	step          label = "Step"
	marker        label = "PatchScout" // on all of ours
	written       label = "PatchScoutGraph"
)

// link is a kind of relationship, with what it stands between.
type link struct {
	name     string
	from, to label
}

var (
	runs      = link{"RUNS", asset, service}
	hasVuln   = link{"HAS_VULN", asset, vulnerability}
	exploits  = link{"EXPLOITS", step, vulnerability}
	needed    = link{"LEADS_TO", state, step}
	gained    = link{"LEADS_TO", step, state}
	fallen    = link{"LEADS_TO", state, asset}
	standsIn  = link{"REACHES", site, state}
	reaches   = link{"REACHES", state, state}
	reachesTo = link{"REACHES", state, service}
)

// keyed are the labels by whose keys nodes are found. Community has uniqueness constraints and no others.
var keyed = []label{asset, service, vulnerability, site, entryPoint, state, step, written}

func constraint(l label) string {
	return fmt.Sprintf("CREATE CONSTRAINT patchscout_%s IF NOT EXISTS FOR (n:%s) REQUIRE n.key IS UNIQUE", l, l)
}

// mine goes before everything that is written. It finds nothing when another load has begun since, and holds the lock that
// keeps two loads apart until the end of the transaction.
const mine = "MATCH (g:PatchScoutGraph {key: 'graph', load: $load}) SET g.batches = g.batches + 1 WITH g "

const (
	begin = "MERGE (g:PatchScoutGraph {key: 'graph'}) SET g.load = coalesce(g.load, 0) + 1, g.batches = 0, g.complete = false, g.content = '' RETURN g.load AS load"
	end   = mine + "SET g.complete = true, g.content = $content, g.at = datetime() RETURN count(g) AS n"
	about = "OPTIONAL MATCH (g:PatchScoutGraph {key: 'graph'}) RETURN coalesce(g.complete, false) AS complete, coalesce(g.load, 0) AS load, coalesce(g.content, '') AS content"
)

func mergeNodes(l label) string {
	also := ""
	switch l {
	case entryPoint: // an entry point is a state that holds from the beginning
		l, also = state, " SET n:EntryPoint"
	case state:
		also = " REMOVE n:EntryPoint"
	}
	return fmt.Sprintf("%sUNWIND $rows AS row MERGE (n:%s {key: row.key}) SET n = row SET n:%s%s RETURN count(n) AS n", mine, l, marker, also)
}

func mergeLinks(l link) string {
	return fmt.Sprintf("%sUNWIND $rows AS row MATCH (a:%s {key: row.a}) MATCH (b:%s {key: row.b}) MERGE (a)-[r:%s {key: row.r.key}]->(b) SET r = row.r RETURN count(r) AS n",
		mine, l.from, l.to, l.name)
}

// What an earlier load left goes by its number, a limited many at a time.
const (
	dropLinks = mine + "MATCH (:PatchScout)-[r:RUNS|HAS_VULN|EXPLOITS|LEADS_TO|REACHES]->(:PatchScout) WHERE r.load <> $load WITH r LIMIT $limit DELETE r RETURN count(r) AS n"
	dropNodes = mine + "MATCH (n:PatchScout) WHERE n.load <> $load WITH n LIMIT $limit DETACH DELETE n RETURN count(n) AS n"
)

// candidates are the steps over which something can lead to the states, whether or not what they need can be had;
// consequences those that have to do with what follows from them. The server walks each node once, however many ways there
// are: the WITH before the pattern makes it begin there, and labels are judged after DISTINCT.
const (
	candidates   = "UNWIND $states AS k MATCH (s:State {key: k}) WITH s MATCH (s)<-[:LEADS_TO*0..]-(x) WITH DISTINCT x WHERE x:Step WITH x LIMIT $limit " + tellStep
	consequences = "UNWIND $states AS k MATCH (s:State {key: k}) WITH s MATCH (s)-[:LEADS_TO*0..]->(x) WITH DISTINCT x WHERE x:Step WITH x LIMIT $limit " + tellStep
	tellStep     = "RETURN x.n AS n, x.kind AS kind, x.p AS p, x.needs AS needs, x.host AS host, x.finding AS finding, x.weakness AS weakness, x.id AS id, " +
		"COLLECT { MATCH (a:State)-[:LEADS_TO]->(x) RETURN a.n } AS pre, COLLECT { MATCH (x)-[:LEADS_TO]->(b:State) RETURN b.n } AS post"
	tellStates = "MATCH (s:State) WHERE s.key IN $states RETURN s.n AS n, s.kind AS kind, s.host AS host, s.start AS start, s.text AS text"
)
