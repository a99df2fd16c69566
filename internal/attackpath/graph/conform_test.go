package graph_test

import (
	"testing"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func TestTheEmbeddedGraphIsRight(t *testing.T) {
	graphtest.Run(t, func() attackpath.Graph { return graph.New(nil) })
}
