"""Many tables, folds by query: every policy is fitted and chosen on other folds than those it is shown on."""
