"""What several instruments need: grouped folds, discriminators, cross-fitting, subsets. Imports no family."""
