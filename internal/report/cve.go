package report

// CVE is one vulnerability with everything that is known of its use, and who says so.
type CVE struct {
	ID          string     `json:"id"`
	Title       Text       `json:"title"`
	Explanation []Sentence `json:"explanation"` // plain words, most important first
	Description Text       `json:"description"`
	Status      Text       `json:"status"` // NVD's vulnStatus
	Published   Date       `json:"published"`
	Modified    Date       `json:"modified"`

	Severity       string   `json:"severity"`
	SeveritySource Text     `json:"severity_source"` // who said so, with or without a score
	CVSS           *float64 `json:"cvss"`            // the score that stands for the record; see Scores for all
	CVSSVersion    Text     `json:"cvss_version"`
	CVSSSource     Text     `json:"cvss_source"`
	CVSSVector     Text     `json:"cvss_vector"`
	Scores         []Score  `json:"scores"`
	Ratings        []Rating `json:"ratings"`

	EPSS             *float64   `json:"epss"`
	EPSSPercentile   *float64   `json:"epss_percentile"` // 0..1
	EPSSDate         Date       `json:"epss_date"`
	EPSSHistory      []EPSSDay  `json:"epss_history"` // oldest first; only the days on which the value changed
	Likelihood       *float64   `json:"likelihood"`
	LikelihoodSource Text       `json:"likelihood_source"` // epss, estimated
	KEV              *bool      `json:"kev"`
	KEVAdded         Date       `json:"kev_added"`
	KEVDue           Date       `json:"kev_due"`
	RequiredAction   Text       `json:"required_action"` // CISA's words
	Ransomware       *bool      `json:"ransomware"`
	ExploitedBy      []string   `json:"exploited_by"` // other sources that assert exploitation in the wild
	SSVC             *SSVC      `json:"ssvc"`
	Decision         Text       `json:"decision"` // assuming that the host is exposed
	DecisionAssumed  []string   `json:"decision_assumed"`
	PriorityScore    *float64   `json:"priority_score"`
	ScorePartial     bool       `json:"score_partial"`
	ScoreMissing     []string   `json:"score_missing"` // the terms of the score that are not known: cvss, recency
	CWEs             []string   `json:"cwes"`
	Weaknesses       []Weakness `json:"weaknesses"`

	Affected     []AffectedRule  `json:"affected"`
	AffectedText []AffectedText  `json:"affected_text"` // as the assigner wrote it, for people
	Exploits     []Exploit       `json:"exploits"`
	Techniques   []TechniqueLink `json:"techniques"`
	References   []Reference     `json:"references"`

	Provenance []Provenance `json:"provenance"`
	Conflicts  []Conflict   `json:"conflicts"`
	Notices    []string     `json:"notices"` // what the publishers of this data want to be said
}

// Sentence is a statement in plain words with the fields that it rests on.
type Sentence struct {
	Topic  string   `json:"topic"` // what, attack, rating, use, do
	Text   string   `json:"text"`
	Fields []string `json:"fields"`
}

// Score is one CVSS assessment.
type Score struct {
	Version  string  `json:"version"`
	Score    float64 `json:"score"`
	Severity string  `json:"severity"`
	Vector   string  `json:"vector"`
	Source   string  `json:"source"`
	Provider string  `json:"provider"` // nvd, cna, adp
}

// Rating is a severity in words, of a source that gave no score.
type Rating struct {
	Level  string `json:"level"`
	Source string `json:"source"`
}

// EPSSDay is EPSS as it was from a day on.
type EPSSDay struct {
	Date Date    `json:"date"`
	EPSS float64 `json:"epss"`
}

// SSVC is an assessment by CISA's method. Null is not assessed.
type SSVC struct {
	Exploitation    Text `json:"exploitation"`     // none, poc, active
	Automatable     Text `json:"automatable"`      // yes, no
	TechnicalImpact Text `json:"technical_impact"` // partial, total
	Source          Text `json:"source"`
	Date            Date `json:"date"`
}

// Weakness is a CWE entry by name.
type Weakness struct {
	ID   string `json:"id"`
	Name Text   `json:"name"`
}

// TechniqueLink is an ATT&CK technique that exploits the CVE or that it leads to.
type TechniqueLink struct {
	ID         string `json:"id"`
	Name       Text   `json:"name"`
	Kind       string `json:"kind"`       // exploitation_technique, primary_impact, secondary_impact, uncategorized
	Source     string `json:"source"`     // ctid, or derived: by our rules from CWE and CVSS
	Confidence int    `json:"confidence"` // 0..100; 100 for published ones
	Reason     Text   `json:"reason"`
}

// Provenance says where a field comes from: a feed, a name given to feeds ingest, or "generated" from other fields.
type Provenance struct {
	Field  string `json:"field"`
	Source string `json:"source"`
	Date   Date   `json:"date"`
}

// Conflict is what another source says of a field, and that was not taken.
type Conflict struct {
	Field  string `json:"field"`
	Source string `json:"source"`
	Date   Date   `json:"date"`
	Value  string `json:"value"`
}

// AffectedRule is one vulnerable leaf of the configurations, for people: the whole tree is what `match` evaluates.
type AffectedRule struct {
	CPE      string `json:"cpe"`
	Versions Text   `json:"versions"` // ">= 8.5, < 9.8"; null is what the CPE says
}

// AffectedText is a product with its versions as its assigner names them.
type AffectedText struct {
	Vendor   string   `json:"vendor"`
	Product  string   `json:"product"`
	Versions []string `json:"versions"`
}

// Exploit is a public exploit.
type Exploit struct {
	Source    string `json:"source"` // exploitdb, metasploit, nuclei
	ID        string `json:"id"`
	Title     Text   `json:"title"`
	Kind      Text   `json:"kind"` // remote, local, webapps, dos; exploit, auxiliary, …; template
	Rank      Text   `json:"rank"` // Metasploit's: excellent … manual
	Verified  bool   `json:"verified"`
	Published Date   `json:"published"`
	URL       Text   `json:"url"`
}

// Reference is a link with the publisher's tags.
type Reference struct {
	URL  string   `json:"url"`
	Tags []string `json:"tags"`
}
