package answer

import (
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/report"
)

// task is something that people want to do with the product: the words that ask for it, what to say, what to type, where
// it is told in full.
type task struct {
	words   string // all of these patterns occur, separated by blanks; each begins at a word
	text    string
	command string
	page    string
}

// tasks are looked through in order: what asks for more stands before what asks for less.
var tasks = []task{
	{`formats?|kinds?|types? import|read|load|upload|scan|scanner|report|reports|supported|understand|accept`, "PatchScout reads reports of Nmap, Nessus, OpenVAS, Nikto, Nuclei, ZAP, Trivy and Grype, SARIF, CycloneDX, OpenVEX and CSAF documents, its own results and a generic format (NDJSON); a report is recognised by what it is.", "patchscout import report.nessus", "imports.md"},
	{`take|taking|undo|revert|remove|delete import`, "An import can be taken back; the findings that only it saw then end.", "patchscout imports --help", "imports.md#taking-back-and-merging-again"},
	{`owners?|tags?|criticality|exposure|assets?|hosts? csv|import|spreadsheet`, "Owners, tags, criticality and exposure of hosts can be read from a CSV file.", "patchscout assets import hosts.csv", "triage.md#hosts-owner-tags-criticality-exposure"},
	{`vex|openvex|csaf import|read|load|use`, "VEX documents are read as rules about findings.", "patchscout rules import statement.json", "triage.md#vex-documents"},
	{`import|upload|load|read|add nessus|openvas|nmap|nikto|nuclei|zap|trivy|grype|sarif|cyclonedx|sbom|qualys|reports?|results?|scan|file`, "A saved report is imported with one command, or by dropping the file on the page Import; every record of it is accounted for.", "patchscout import report.nessus", "imports.md"},
	{`offline|without|air-?gapped|no|isolated feeds?|catalogue|catalog|internet|update|data|sync`, "Without the internet, fetch the publishers' files elsewhere, carry them over and load them from a folder.", "patchscout feeds sync --from DIR", "feeds.md#offline"},
	{`decide|decides|decided|rank|ranks|ranked|order|prioriti[sz]es?|prioriti[sz]ed|prioriti[sz]ation urgent|urgency|urgently|first|findings?|how`, "Each finding has a decision, which says what to do by when: act within 3 days, attend within 14, plan within 60, or track until the next upgrade. It follows CISA's directive BOD 26-04: whether the CVE is known to be exploited, whether the host can be reached from the internet, whether an attack can be automated, and how much an attacker gains. Among equal decisions the likelihood of attacks goes first, then the score.", "patchscout findings --sort rank", "findings.md#lists"},
	{`rss|atom|news`, "News of vulnerabilities are written as RSS and Atom into a folder, and the server answers them below /feeds.", "patchscout feeds publish /var/www/feeds", "feeds.md#rss-and-atom"},
	{`update|sync|load|refresh|fetch|download|get feeds?|catalogue|catalog|nvd|kev|epss|cve|cves|data|database`, "The catalogue is brought up to date from its publishers with one command; the server does it by itself at the times that are configured.", "patchscout feeds sync", "feeds.md"},
	{`resume|pause|continue|stop|cancel|interrupt scan|scans`, "A running scan can be paused, resumed and ended; what it found is kept.", "patchscout scans pause 12", "scan.md#pausing-and-continuing"},
	{`schedule|scheduled|regular|regularly|recurring|nightly|every|automatic|automatically scan|scans|scanning`, "Scans that come back at set times are set up on the page Scans of the web UI, or by a timer of the system that starts the command.", "patchscout scan 192.168.1.0/24", "scan.md"},
	{`scope|allowed|allow|forbid|permitted|limit|deny scan|scans|scanned|scanning|scope`, "What may be scanned is limited by the scope: what the configuration allows, and rules for users of the server.", "patchscout scope list", "scope.md"},
	{`scan|scanning|check|examine network|networks|host|hosts|subnet|machine|machines|server|servers|website|site|range|start|begin|run|do|new|perform|launch|patchscout`, "A scan takes addresses, networks, ranges, names and URLs as targets. Only scan what you are allowed to.", "patchscout scan 192.168.1.0/24", "scan.md"},
	{`restore`, "A backup is put back with one command; everybody has to log in again.", "patchscout restore patchscout.backup", "operations.md#backup-and-restore"},
	{`backup|backups|back-up|back`, "A backup of everything that is stored is written to a file, also while the server runs.", "patchscout backup patchscout.backup", "operations.md#backup-and-restore"},
	{`reset|change|forgot|forgotten|lost|new|set password|passwords`, "An administrator gives a user another password, to be changed at the next login.", "patchscout user password NAME", "users.md"},
	{`add|create|new|make|invite|manage users?|accounts?|colleagues?|people`, "Users are added by an administrator; a password is made and shown once.", "patchscout user add NAME --role analyst", "users.md"},
	{`tokens?|api create|make|get|new|use|tokens?|keys?|access`, "Programs and workers log in with tokens, which are shown once when they are made.", "patchscout token create --help", "users.md#tokens"},
	{`oidc|openid|sso|single|keycloak|entra|azure`, "Users can log in through OpenID Connect; the server needs the issuer, a client and how groups become roles.", "", "users.md#openid-connect"},
	{`false|mark|accept|triage|suppress|ignore|dismiss positive|positives|finding|findings|risk|it|triage`, "What you think of a finding is said by triage, on its page or with a command: it survives every rescan.", "patchscout findings triage 12 --state false_positive --reason \"why\"", "triage.md"},
	{`export|csv|download|excel|json|sarif|report|pdf|html findings?|results?|scan|list|report|reports|export`, "Findings are exported in the format that you name, from the command line or by the button of the page Findings.", "patchscout findings --format csv -o findings.csv", "findings.md"},
	{`compare|difference|diff|between scans|two`, "Two scans are compared on the page of a scan in the web UI: what is new, fixed and back again.", "patchscout scans list", "scan.md"},
	{`web|ui|browser|server|serve|dashboard|gui start|run|open|launch|install|use|see|begin|ui`, "The server answers the web UI and the API; the first start shows the administrator's password.", "patchscout serve", "operations.md#start"},
	{`install|deploy|set|upgrade up|install|installed|patchscout|deploy|docker|container|upgrade|systemd|it`, "PatchScout is one program without needs of its own; packages, a container image and systemd units are described with the operations.", "patchscout init", "operations.md#install"},
	{`postgres|postgresql|database use|connect|switch|configure|postgres|postgresql|change`, "PatchScout keeps its data in SQLite, or in PostgreSQL where the setting names one.", "patchscout --database-url postgres://… init", "configuration.md#databases"},
	{`data|databases?|catalogue folder|directory|dir|path|location|stored|where|kept`, "The data folder is the setting data_dir, also as the variable `PATCHSCOUT_DATA_DIR` or the flag `--data-dir`; without it, it is the XDG data folder.", "patchscout config show", "configuration.md#general"},
	{`llm|language|ollama|openai|gpt|vllm|llama|chatgpt|ai|model model|models|ollama|llm|use|connect|configure|openai|gpt|set`, "A language model may word the answers of the assistant: any server that speaks OpenAI's API, such as Ollama, vLLM or llama.cpp, named by the setting llm_url, `PATCHSCOUT_LLM_URL` or `--llm-url`. Its sentences are checked against the records.", "patchscout --llm-url http://127.0.0.1:11434/v1 ask \"what should I fix first?\"", "language-models.md"},
	{`proxy|reverse|nginx|tls|https|certificate proxy|tls|https|certificates?|behind|set|enable|configure`, "TLS and a reverse proxy are set up with the server's settings.", "patchscout serve --help", "operations.md#tls"},
	{`workers?|remote|distributed run|start|set|add|use|site|worker|workers|install`, "A worker scans one site for a server, with a token of that site.", "patchscout worker --help", "workers.md"},
	{`sites? add|create|new|make|set`, "A site is a network with addresses of its own.", "patchscout site add NAME", "findings.md"},
	{`neo4j|graph|cypher`, "The network of the estate can be written to a Neo4j that the setting graph_url names.", "patchscout --graph-url bolt://127.0.0.1:7687 serve", "neo4j.md"},
	{`deadlines?|sla|due days|set|configure|change|dates?|deadlines?|define`, "Own deadlines by severity or decision are the settings below sla.", "patchscout config show", "configuration.md#sla"},
	{`logs?|logging level|file|format|where|see|find|turn|debug`, "Log lines go to standard error, and to a file where log.file names one.", "patchscout serve --log-level debug", "configuration.md#logs"},
	{`demo|try|example|sample`, "The demo starts harmless servers of its own, scans them and takes everything away again.", "patchscout demo", "scan.md#the-demo"},
	{`attack|paths? paths?|graph|see|show|compute`, "Attack paths are worked out over the findings, on the page Attack paths or with a command.", "patchscout paths", "attack-paths.md"},
	{`jewels?|crown mark|declare|set|tag|define|make|how`, "A host is declared a jewel by its tag `jewel`.", "patchscout assets tag HOST jewel", "attack-paths.md"},
	{`shortcuts?|keyboard|keys|hotkeys?`, "The web UI is used by keys as well: `?` shows them all.", "", "web-ui.md#by-keys"},
	{`audit|log|changed|did|deleted who|trail|log|read|show`, "Who did what, from where, is in the audit trail.", "patchscout audit", "users.md#the-audit-trail"},
	{`api|rest|openapi|swagger where|docs|documentation|use|call|describe|described|find|is|endpoint|endpoints`, "The API is described by the server itself at /docs, and by its page.", "curl http://127.0.0.1:8080/openapi.json", "api.md"},
	{`configure|configuration|settings?|options? where|how|file|change|see|set|all|list|which`, "What is configured is merged from a file, the environment and flags; one command says what is in force.", "patchscout config show", "configuration.md"},
}

// able asks what the assistant itself can do.
var able = regexp.MustCompile(`(?i)\bwhat (?:can|could|are|do|may) (?:you|i|one|we)\b.*\b(?:do|ask|answer|able|know|help)\b|^\s*(?:help|what can you do|how can you help\b.*)\s*[?.!]*\s*$|\bwho are you\b`)

// asksHow are questions for how something is done, or whether it can be.
var asksHow = regexp.MustCompile(`(?i)\b(?:how|where|which|what|can|could|is it possible|does it|do you|command|way to|want to|need to|tell me)\b`)

// tells answers what people do with the product, with what to type.
func (k *desk) tells() bool {
	if able.MatchString(k.Text) {
		n := k.d.Cite(ourPage("assistant.md#what-can-be-asked", "What can be asked", "Findings, hosts, software, CVEs, ATT&CK techniques, attack paths, scans, indicators, feeds and the product itself."))
		k.d.Say([]int{n}, "Ask about your findings, hosts, software, scans and attack paths, about CVEs, weaknesses, ATT&CK techniques and indicators of the catalogue, about the age of its data, and about how PatchScout is used. Each answer names the records that it rests on; what no record says is not answered.")
		for _, q := range []string{"What should I fix first?", "Which hosts have vulnerabilities that are known to be exploited?", "Explain heartbleed to a manager", "How do I import a report?"} {
			k.d.Item([]int{n}, "%s", q)
			k.d.Next = append(k.d.Next, q)
		}
		k.d.Link = docURL("assistant.md#what-can-be-asked")
		return true
	}
	if !asksHow.MatchString(k.Text) {
		return false
	}
	words := strings.Fields(strings.NewReplacer("?", " ", ",", " ", ".", " ", "!", " ", "\"", " ").Replace(strings.ToLower(k.Text)))
	for _, t := range tasks {
		if !t.asked(words) {
			continue
		}
		source := ourPage(t.page, pageTitle(t.page), t.text+" "+t.command)
		n := k.d.Cite(source)
		k.d.Say([]int{n}, "%s", t.text)
		if t.command != "" {
			k.d.Say([]int{n}, "`%s`", t.command)
		}
		k.d.Facts.Value, k.d.Command, k.d.Link = report.Text(t.command), "", docURL(t.page)
		return true
	}
	return false
}

// asked says that the words hold one of each group, by different words.
func (t task) asked(words []string) bool {
	used := -1
	for group := range strings.SplitSeq(t.words, " ") {
		found := -1
		pattern := regexp.MustCompile(`^(?:` + group + `)$`)
		for i, w := range words {
			if i != used && pattern.MatchString(w) {
				found = i
				break
			}
		}
		if found < 0 {
			return false
		}
		used = found
	}
	return true
}

func ourPage(id, title, text string) report.Source {
	return report.Source{Kind: "doc", ID: id, Title: title, Text: text, URL: docURL(id), From: "PatchScout"}
}

// pageTitle is a readable name of a page or a section.
func pageTitle(id string) string {
	page, anchor, _ := strings.Cut(id, "#")
	title := strings.ReplaceAll(strings.TrimSuffix(page, ".md"), "-", " ")
	if anchor != "" {
		title += ": " + strings.ReplaceAll(anchor, "-", " ")
	}
	return strings.ToUpper(title[:1]) + title[1:]
}
