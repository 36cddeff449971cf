"""Results as charts, each one Vega-Altair specification.

kinds/: one module a kind, found by itself; `registry`: the decorator that a kind has, and which charts a folder allows;
`chart`: what a chart is, and the words around it; `axes`, `layers`, `places`, `style`, `text`: what kinds are built of;
`render`: a chart as PNG, SVG, PDF or JSON, and for a page.
"""

FORMATS = ("png", "svg", "pdf", "json")  # of files
