"""The desk's answers in the words of other systems: FHIR R4 and CDS Hooks."""
