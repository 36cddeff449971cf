"""The report, one self-contained HTML file: its data is gathered first (figures, gallery, paper), then rendered."""
