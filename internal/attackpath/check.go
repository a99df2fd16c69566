package attackpath

// checkEffect is the Effect of a check without a CVE, nil for a CVE.
func checkEffect(f *Flawed) *Effect { return nil }
