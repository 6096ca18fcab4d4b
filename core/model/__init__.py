"""From labelled notes to a calibrated bundle: features, candidates, training, evaluation, card and registry."""
