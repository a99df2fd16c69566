package app

import (
	"os"
	"testing"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
