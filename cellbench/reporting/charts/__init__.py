"""Results as charts, each one Vega-Altair specification.

kinds/: one module for each kind of chart; all modules there are found without a list; `registry`: the decorator that
registers a kind, and which charts are possible for some results; `chart`: what a chart is, and the text around it;
`axes`, `layers`, `places`, `style`, `text`: the parts that kinds are built from; `render`: writes a chart as PNG, SVG,
PDF or JSON, and prepares it for an HTML page.
"""

FORMATS = ("png", "svg", "pdf", "json")  # of the files that a chart can be written to
