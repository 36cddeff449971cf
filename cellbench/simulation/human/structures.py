"""The 28 places of a protein that can be simulated, numbered as in the Human Protein Atlas's contest of 2018."""

from enum import IntEnum


class Structure(IntEnum):
    """A place of a protein in a human cell; its number is that of the label in the contest."""

    NUCLEOPLASM = 0
    NUCLEAR_MEMBRANE = 1
    NUCLEOLI = 2
    NUCLEOLI_FIBRILLAR_CENTER = 3
    NUCLEAR_SPECKLES = 4
    NUCLEAR_BODIES = 5
    ENDOPLASMIC_RETICULUM = 6
    GOLGI_APPARATUS = 7
    PEROXISOMES = 8
    ENDOSOMES = 9
    LYSOSOMES = 10
    INTERMEDIATE_FILAMENTS = 11
    ACTIN_FILAMENTS = 12
    FOCAL_ADHESION_SITES = 13
    MICROTUBULES = 14
    MICROTUBULE_ENDS = 15
    CYTOKINETIC_BRIDGE = 16
    MITOTIC_SPINDLE = 17
    MICROTUBULE_ORGANIZING_CENTER = 18
    CENTROSOME = 19
    LIPID_DROPLETS = 20
    PLASMA_MEMBRANE = 21
    CELL_JUNCTIONS = 22
    MITOCHONDRIA = 23
    AGGRESOME = 24
    CYTOSOL = 25
    CYTOPLASMIC_BODIES = 26
    RODS_RINGS = 27
