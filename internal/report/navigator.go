package report

import "io"

// Layer is what the ATT&CK Navigator shows on the matrix: techniques by a score. It is written as a layer file of version
// 4.5, in which optional fields are left out
// (https://github.com/mitre-attack/attack-navigator/blob/master/layers/LAYERFORMATv4_5.md).
type Layer struct {
	Name        string
	Description string
	Techniques  []LayerTechnique // each id once
	Unit        [2]string        // what the score counts: "path", "paths"
	Facts       []LayerFact      // of the whole
}

// LayerTechnique is a technique or sub-technique of ATT&CK for enterprises.
type LayerTechnique struct {
	ID      string `json:"techniqueID"`
	Score   int    `json:"score"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
	// Children shows the sub-techniques at once.
	Children bool        `json:"showSubtechniques"`
	Facts    []LayerFact `json:"metadata"`
}

// LayerFact is a name with a value, shown beside what it is about.
type LayerFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// The file. Which release of ATT&CK the ids are of is not kept with the catalogue, so versions leaves it out: the Navigator
// then takes its own.
type (
	layerFile struct {
		Name        string           `json:"name"`
		Versions    layerVersions    `json:"versions"`
		Domain      string           `json:"domain"`
		Description string           `json:"description"`
		Sorting     int              `json:"sorting"`
		Layout      layerLayout      `json:"layout"`
		Hide        bool             `json:"hideDisabled"`
		Techniques  []LayerTechnique `json:"techniques"`
		Gradient    layerGradient    `json:"gradient"`
		Legend      []layerLegend    `json:"legendItems"`
		Metadata    []LayerFact      `json:"metadata"`
	}
	layerVersions struct {
		Navigator string `json:"navigator"`
		Layer     string `json:"layer"`
	}
	layerLayout struct {
		Layout     string `json:"layout"`
		ShowID     bool   `json:"showID"`
		ShowName   bool   `json:"showName"`
		Aggregates bool   `json:"showAggregateScores"`
		Function   string `json:"aggregateFunction"`
		Expanded   string `json:"expandedSubtechniques"`
	}
	layerGradient struct {
		Colors []string `json:"colors"`
		Min    int      `json:"minValue"`
		Max    int      `json:"maxValue"`
	}
	layerLegend struct {
		Label string `json:"label"`
		Color string `json:"color"`
	}
)

// layerColours go from few to many.
var layerColours = []string{"#fff3cd", "#f59f00", "#c92a2a"}

// descending sorts the techniques of each tactic by score.
const descending = 3

// Navigator writes a layer file.
func Navigator(w io.Writer, l Layer) error {
	most := 1
	for _, t := range l.Techniques {
		most = max(most, t.Score)
	}
	file := layerFile{
		Name: l.Name, Versions: layerVersions{Navigator: "5.1.0", Layer: "4.5"}, Domain: "enterprise-attack", Description: l.Description, Sorting: descending,
		Layout:     layerLayout{Layout: "side", ShowID: true, ShowName: true, Aggregates: true, Function: "max", Expanded: "annotated"},
		Techniques: l.Techniques, Gradient: layerGradient{Colors: layerColours, Max: most}, Metadata: l.Facts,
		Legend: []layerLegend{{Plural(1, l.Unit[0], l.Unit[1]), layerColours[0]}, {Plural(most, l.Unit[0], l.Unit[1]), layerColours[len(layerColours)-1]}},
	}
	if most == 1 {
		file.Legend = file.Legend[1:]
	}
	if file.Techniques == nil {
		file.Techniques = []LayerTechnique{}
	}
	return JSON(w, file)
}
