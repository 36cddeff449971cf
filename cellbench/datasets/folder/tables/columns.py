"""Which columns of a table have the files and the labels: those that are named, or that have usual names."""

from ....core.errors import DataError
from ...files.tables import TextTable
from ..options import ONE_HOT, FolderOptions

# Usual names of columns, in lower case without spaces, '_' and '-'; of several that are there the first is taken.
FILE_COLUMNS = (
    *("file", "filename", "filepath", "path", "image", "imagefile", "imagename", "imagepath", "imageid"),
    *("img", "name", "id", "imageurl", "url"),
)
LABEL_COLUMNS = (
    *("label", "labels", "class", "imageclass", "classname", "classlabel", "labelname", "target", "category", "y"),
    *("classification", "celltype", "phenotype", "metadataclass", "metadatalabel", "metadatamoa", "metadatatreatment"),
    *("treatment", "pertname"),
)
GROUP_COLUMNS = (
    *("group", "patient", "patientid", "donor", "specimen", "slide", "well", "wellid", "plate"),
    *("metadatawell", "metadataplate", "wellname", "platename"),
)
# Behind both stands the name of the channel, and before them, in exports to a database, 'Image_'.
CELLPROFILER_FILE, CELLPROFILER_FOLDER = "FileName_", "PathName_"
DEEPPROFILER, TARGET = "sc-metadata.csv", "Target"  # the table of the single cells that DeepProfiler exports
FIELDS = {"Metadata_Plate", "Metadata_Well", "Metadata_Site"}  # of DeepProfiler's index.csv


def main_columns(table: TextTable, options: FolderOptions) -> tuple[str, str]:
    """The names of the columns of files and of labels; '' for the latter when each label has its own column."""
    first = next(iter(file_columns(table, options.file_column)), "")
    file_column = _column(table, "file", first, FILE_COLUMNS)
    if options.multilabel == ONE_HOT:
        return file_column, ""
    given = options.label_column or (_names_of_targets(table) if table.name.lower() == DEEPPROFILER else "")
    return file_column, _column(table, "label", given, LABEL_COLUMNS)


def _names_of_targets(table: TextTable) -> str:
    """Return DeepProfiler's column with the names of the classes that 'Target' numbers; '' if there is none."""
    numbers = table.column(TARGET) if TARGET in table.header else []
    for name in table.header:
        pairs = set(zip(numbers, table.column(name), strict=True)) if numbers and name != TARGET else set()
        if 0 < len(pairs) == len(set(numbers)) == len({cell for _, cell in pairs}):
            return name
    return ""


def file_columns(table: TextTable, given: str) -> list[str]:
    """Return the columns of files that are given, or those that CellProfiler gave file names, such as FileName_DNA."""
    if given:
        return [given] if given in table.header else [name.strip() for name in given.split(",")]
    return [name for name in table.header if CELLPROFILER_FILE in name]


def file_cells(table: TextTable, column: str) -> list[str]:
    """Return the file of each row; where CellProfiler has a column of folders as well, with its folder."""
    cells = table.column(column)
    folder = column.replace(CELLPROFILER_FILE, CELLPROFILER_FOLDER)
    if CELLPROFILER_FILE not in column or folder not in table.header:
        return cells
    return [f"{path}/{cell}" for path, cell in zip(table.column(folder), cells, strict=True)]


def _yes_no_columns(table: TextTable) -> list[str]:
    """Return the columns that hold both 0 and 1 and nothing else; none if there is only one."""
    found = [name for name in table.header if set(table.column(name)) == {"0", "1"}]
    return found if len(found) > 1 else []


def _column(table: TextTable, what: str, given: str, usual: tuple[str, ...]) -> str:
    """The name of a column: the given one, else a usual one. Raises DataError when the table has none."""
    name = given or table.find(usual)
    if not name and what == "label" and (several := _yes_no_columns(table)):
        raise DataError(
            f"{table.name} has no column of labels, but {len(several)} of 0 and 1 ({', '.join(several[:4])}): pass "
            "--multilabel onehot if each is a label"
        )
    if not name and what == "file" and FIELDS.issubset(table.header):
        raise DataError(
            f"{table.name} lists fields of view by plate, well and site, as DeepProfiler's index.csv does; name its "
            "columns of files, one a channel, with --file-column DNA,ER, or export single cells by DeepProfiler and "
            "give the folder with its sc-metadata.csv"
        )
    if not name:
        raise DataError(
            f"{table.name} has no column called {what!r} or alike; its header is {', '.join(table.header)}: "
            f"name the column with --{what}-column"
        )
    table.column(name)
    return name
