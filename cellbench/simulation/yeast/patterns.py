"""What each localisation of a protein looks like in simulated yeast: numbers alone."""

Range = tuple[float, float]
# What each localisation looks like. A well draws each component's weight from the range given here, in units of the
# brightness of the pattern's main structure; below zero counts as none, so a range from -1 to 1 gives the component to
# half of the wells. Classes with several looks share their wells evenly between them. `tubes` and `vesicles` are mean
# numbers a cell, `spindle_poles` is 1 plus the share of cells with two; `dots_in_focus` and `dots_near_focus` are
# shares. Peroxisomes are several small dots anywhere in the cytoplasm, spindle poles one or two on the nucleus.
PATTERNS: dict[str, tuple[dict[str, Range], ...]] = {
    "cell periphery": ({"membrane": (1.3, 2.3), "cytoplasm": (0.12, 0.8), "cortex": (0, 0.5)},),
    "cytoplasm": ({"cytoplasm": (0.9, 1.1), "nucleus": (-0.25, 0.25), "membrane": (0, 0.2)},),
    "endosome": (
        {
            "cytoplasm": (0.15, 0.45),
            "vesicles": (1.8, 4.2),
            "dot_light": (1.0, 1.7),
            "dots_in_focus": (0.05, 0.3),
            "dots_near_focus": (0.45, 0.65),
            "vesicles_on_vacuole": (0.4, 0.9),
            "vacuole_rim": (0, 0.2),
        },
    ),
    "er": ({"nuclear_rim": (0.6, 1.5), "cortex": (0.4, 1.4), "cytoplasm": (0.2, 0.7), "membrane": (0, 0.5)},),
    "golgi": (
        {
            "cytoplasm": (0.2, 0.55),
            "vesicles": (4, 9),
            "dot_light": (0.6, 1.0),
            "dots_in_focus": (0.02, 0.2),
            "dots_near_focus": (0.25, 0.45),
            "vesicles_on_vacuole": (0, 0.25),
            "vacuole": (-0.3, 0.3),
        },
    ),
    "mitochondrion": (
        {
            "cytoplasm": (0.05, 0.3),
            "tubes": (2.6, 5.5),
            "dot_light": (0.7, 1.2),
            "dots_in_focus": (0.4, 0.75),
            "dots_near_focus": (0.2, 0.25),
            "vesicles": (0, 1),
            "nuclear_rim": (-0.8, 0.3),
        },
    ),
    "nuclear periphery": (
        {"nuclear_rim": (1.5, 2.4), "nucleus": (0, 0.4), "cytoplasm": (0.01, 0.15), "cortex": (-0.4, 0.2)},
    ),
    "nucleolus": ({"nucleolus": (1.0, 1.3), "nucleus": (0.02, 0.3), "cytoplasm": (0.005, 0.06)},),
    "nucleus": ({"nucleus": (0.9, 1.2), "cytoplasm": (0.02, 0.45), "nucleolus_hole": (-0.6, 0.6)},),
    "peroxisome": (
        {
            "cytoplasm": (0.06, 0.35),
            "vesicles": (4, 9),
            "dot_light": (0.7, 1.2),
            "dots_in_focus": (0.65, 0.9),
            "dots_near_focus": (0.1, 0.2),
            "vesicles_on_vacuole": (0, 0.1),
        },
    ),
    "spindle pole": (
        {
            "cytoplasm": (0.06, 0.35),
            "nucleus": (-0.1, 0.3),
            "spindle_poles": (1.1, 1.6),
            "dot_light": (1.2, 2.0),
            "dots_in_focus": (0.5, 0.8),
            "dots_near_focus": (0.15, 0.2),
        },
    ),
    "vacuole": (
        {"vacuole": (0.7, 1.2), "vacuole_rim": (-0.2, 0.6), "cytoplasm": (0.01, 0.2), "nuclear_rim": (-0.6, 0.3)},
        {"vacuole": (-0.2, 0.3), "vacuole_rim": (0.9, 1.8), "cytoplasm": (0.01, 0.2), "vesicles": (-1, 2)},
    ),
}
MIXED_COMPONENTS = (
    "cytoplasm",
    "nucleus",
    "nuclear_rim",
    "membrane",
    "cortex",
    "vacuole",
    "vacuole_rim",
    "nucleolus",
    "nucleolus_hole",
)
DOT_DEFAULTS = {
    "vesicles": 0.0,
    "vesicles_on_vacuole": 0.0,
    "spindle_poles": 0.0,
    "tubes": 0.0,
    "dot_light": 0.6,
    "dots_in_focus": 1.0,
    "dots_near_focus": 0.0,
}
# Median brightness of each pattern's main structure over the camera background, read off 36 real cells.
PROTEIN_PEAKS = (4.6, 6.5, 6.5, 7.5, 24.0, 15.0, 19.0, 62.0, 17.0, 11.0, 13.0, 26.0)
