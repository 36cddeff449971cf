"""The report: one HTML file with everything in it; data first (figures, gallery, paper), then one template."""
