"""What is refused, and how: every message word for word. One is changed only where it gets better."""

# ruff: noqa: E501 - messages stand here as they are printed

from typing import Any

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core.errors import CellbenchError
from cellbench.core.suites import parse
from cellbench.datasets.folder import FolderOptions
from cellbench.methods import methods
from cellbench.running.planning.plan import parse_override, settled

# A method, what is set, and what is said. Every method has the settings of preprocessing and of the decision.
SETTINGS: list[tuple[str, dict[str, Any], str]] = [
    ("svm-hog", {"C": -1}, "C is -1; give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": 0}, "C is 0; give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": "large"}, "C is 'large'; give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": ()}, "C is (); give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": True}, "C is True; give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": (1, -10)}, "C is (1, -10); give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"C": None}, "C is None; give a positive number, or a list of them such as C=1,10,100"),
    ("svm-hog", {"gamma": "auto"}, "gamma is 'auto'; give 'scale' or a positive number, or a list of them"),
    ("svm-hog", {"gamma": 0}, "gamma is 0; give 'scale' or a positive number, or a list of them"),
    (
        "svm-hog",
        {"gamma": ("scale", -1)},
        "gamma is ('scale', -1); give 'scale' or a positive number, or a list of them",
    ),
    ("svm-hog", {"kernel": "rfb"}, "kernel is 'rfb'; did you mean 'rbf'?"),
    ("svm-hog", {"kernel": 3}, "kernel is 3; give rbf, linear, poly or sigmoid"),
    ("svm-hog", {"backend": "libsvn"}, "backend is 'libsvn'; did you mean 'libsvm'?"),
    ("svm-hog", {"class_weight": "even"}, "class_weight is 'even'; give balanced, or none"),
    ("svm-hog", {"smote": 1}, "smote is 1; give true or false"),
    ("svm-hog", {"degree": 0}, "degree is 0; give a whole number, at least 1"),
    ("svm-hog", {"degree": 2.5}, "degree is 2.5; give a whole number, at least 1"),
    ("svm-hog", {"coef0": -1}, "coef0 is -1; give a number, at least 0"),
    ("svm-combined", {"features": "gog"}, "no group of features is called 'gog'; did you mean 'hog'?"),
    (
        "svm-combined",
        {"features": ()},
        "features names no group; give one or several of hog, texture, intensity, haralick, radial, granularity, between, shape",
    ),
    ("svm-combined", {"features": ("hog", "hog")}, "features names 'hog' twice; name each group once"),
    ("svm-combined", {"optional": "textur"}, "no group of features is called 'textur'; did you mean 'texture'?"),
    ("svm-combined", {"C": -1}, "C is -1; give a positive number, or a list of them such as C=1,10,100, or auto"),
    (
        "svm-deep",
        {"net": "resnet81"},
        "no net is called 'resnet81'; did you mean 'resnet18' or 'resnet101' or 'resnet110'?",
    ),
    ("svm-deep", {"net": 3}, "net is 3; give a net's name, such as resnet18"),
    ("svm-deep", {"cached": "yes"}, "cached is 'yes'; give true or false"),
    ("svm-deep", {"epochs": -1}, "epochs is -1; give a whole number, at least 0, or auto"),
    ("svm-deep", {"C": -1}, "C is -1; give a positive number, or a list of them such as C=1,10,100"),
    ("probe-svm", {"encoder": 3}, "encoder is 3; give a net's name, such as torchvision:mobilenet_v2"),
    ("probe-svm", {"encoder": "mobilenet"}, "no net is called 'mobilenet'; did you mean 'alexnet'?"),
    ("probe-svm", {"weights": 3}, "weights is 3; give imagenet or the path of a file, or none"),
    ("probe-svm", {"channel_mode": "grey"}, "channel_mode is 'grey'; give each or rgb"),
    ("probe-svm", {"pooling": "mean"}, "pooling is 'mean'; did you mean 'max' or 'head'?"),
    ("probe-svm", {"layer": 3}, "layer is 3; give the name of a module of the encoder, or none"),
    ("probe-svm", {"views": 4}, "views is 4; give 1 or 8"),
    ("probe-svm", {"views": True}, "views is True; give 1 or 8"),
    ("probe-svm", {"cached": 1}, "cached is 1; give true or false"),
    ("probe-linear", {"C": "strong"}, "C is 'strong'; give a positive number, or a list of them such as C=0.01,0.1,1"),
    ("probe-knn", {"k": 0}, "k is 0; give a whole number of at least 1, or a list of them such as k=1,5,20"),
    (
        "probe-knn",
        {"k": (1, 2.5)},
        "k is (1, 2.5); give a whole number of at least 1, or a list of them such as k=1,5,20",
    ),
    ("forest", {"features": "hogg"}, "no group of features is called 'hogg'; did you mean 'hog'?"),
    (
        "floor-untrained",
        {"net": "cmm"},
        "no net is called 'cmm'; known: alexnet, alexnet-hep2, bninception, cnn, cnn2-yeast, cnn3-yeast, fastnet, inception_resnet_v2, inception_resnet_v2-hpa10, mlp and 22 more",
    ),
    ("floor-untrained", {"net": 3}, "net is 3; give a net's name, such as resnet18"),
    ("resnet18", {"epochs": -1}, "epochs is -1; give a whole number, at least 0, or auto"),
    ("resnet18", {"epochs": 1.5}, "epochs is 1.5; give a whole number, at least 0, or auto"),
    ("resnet18", {"epochs": "many"}, "epochs is 'many'; give a whole number, at least 0, or auto"),
    ("resnet18", {"batch": True}, "batch is True; give a whole number, at least 1, or auto"),
    ("resnet18", {"lr": 0}, "lr is 0; give a number above 0, or auto"),
    ("resnet18", {"lr": "fast"}, "lr is 'fast'; give a number above 0, or auto"),
    ("resnet18", {"momentum": 1}, "momentum is 1; give a number from 0 to 0.9999"),
    ("resnet18", {"factor": 1, "schedule": "step"}, "factor is 1; give a number between 0 and 1"),
    (
        "resnet18",
        {"schedule": "step", "milestones": (0.5, 2)},
        "milestones is (0.5, 2); give a number from 0 to 1, or several",
    ),
    ("resnet18", {"flip": 1}, "flip is 1; give true or false"),
    ("resnet18", {"weights": 3}, "weights is 3; give imagenet or the path of a file, or none"),
    ("resnet18", {"schedule": "onecycle"}, "schedule is 'onecycle'; did you mean 'one-cycle'?"),
    ("resnet18", {"optimiser": "lion"}, "optimiser is 'lion'; give sgd, adam or adamw"),
    ("resnet18", {"optimiser": 3}, "optimiser is 3; give sgd, adam or adamw"),
    (
        "resnet18",
        {"single_label": "delete"},
        "single_label is 'delete' and single_classes is empty; name classes by number",
    ),
    (
        "resnet18",
        {"optimiser": "adam", "momentum": 0.5},
        "momentum is 0.5, and only optimiser=sgd looks at it; leave it out",
    ),
    ("resnet18", {"milestones": (0.3,)}, "milestones is (0.3,), and only schedule=step looks at it; leave it out"),
    ("resnet18", {"head_epochs": 3}, "head_epochs is 3, and only freeze=head looks at it; leave it out"),
    ("resnet18", {"dropout": 1}, "dropout is 1; give a number from 0 to 0.9999, or none"),
    ("resnet18", {"batch_norm": "on"}, "batch_norm is 'on'; give true or false, or none"),
    ("resnet18", {"oversample": "all"}, "oversample is 'all'; give a number from 0 to 1, or several"),
    (
        "resnet18",
        {"single_label": "copy", "single_classes": -1},
        "single_classes is -1; give a whole number, at least 0, or several",
    ),
    ("resnet18", {"hue": 0.7}, "hue is 0.7; give a number from 0 to 0.5"),
    ("svm-hog", {"size": 4}, "size is 4; give a whole number of pixels from 8 to 1024, or none"),
    ("svm-hog", {"size": 64.5}, "size is 64.5; give a whole number of pixels from 8 to 1024, or none"),
    ("svm-hog", {"size": True}, "size is True; give a whole number of pixels from 8 to 1024, or none"),
    ("svm-hog", {"crop": "half"}, "crop is 'half'; give a whole number of pixels from 8 to 1024, or none"),
    ("svm-hog", {"mask": "li"}, "mask is 'li'; give otsu, or none"),
    ("svm-hog", {"intensity": "percentiles"}, "intensity is 'percentiles'; did you mean 'percentile'?"),
    ("svm-hog", {"three_channels": "yes"}, "three_channels is 'yes'; give true or false, or none"),
    (
        "svm-hog",
        {"thresholds": "best"},
        "thresholds is 'best'; give one of per-class, global, majority-apart, or a probability between 0 and 1, for all classes or one for each",
    ),
    (
        "svm-hog",
        {"thresholds": 1.0},
        "thresholds is 1.0; give one of per-class, global, majority-apart, or a probability between 0 and 1, for all classes or one for each",
    ),
    (
        "svm-hog",
        {"thresholds": True},
        "thresholds is True; give one of per-class, global, majority-apart, or a probability between 0 and 1, for all classes or one for each",
    ),
    ("forest", {"trees": 0}, "trees is 0; give a whole number, at least 1"),
    ("forest", {"trees": 2.5}, "trees is 2.5; give a whole number, at least 1"),
    ("boosting", {"rounds": 0}, "rounds is 0; give a whole number, at least 1"),
    ("boosting", {"rounds": "many"}, "rounds is 'many'; give a whole number, at least 1"),
    ("svm-hog", {"gamma": ()}, "gamma is (); give 'scale' or a positive number, or a list of them"),
]

FOLDERS: list[tuple[dict[str, Any], str]] = [
    ({"size": 4}, "size is 4; give 8 to 1024 pixels"),
    ({"size": 2000}, "size is 2000; give 8 to 1024 pixels"),
    ({"multilabel": "/"}, "multilabel is '/'; give what stands between labels, ';' ',' '|' ' ', or onehot"),
    (
        {"pattern": "cell.tif"},
        "pattern is 'cell.tif'; give {id}, {channel} and an image's suffix: '{id}_{channel}.tif'",
    ),
    (
        {"pattern": "{id}_{channel}.txt"},
        "pattern is '{id}_{channel}.txt'; give {id}, {channel} and an image's suffix: '{id}_{channel}.tif'",
    ),
]

SUITE = 'title = "t"\nsource = "s"\ndataset = "hep2"\n'
SUITES = [
    ('title = "t"\nsource = "s"\nentries = []\n', "suite 'toy': dataset is missing"),
    ("title = ", "suite 'toy' is no TOML: Invalid value (at end of document)"),
    (SUITE + "seed = [0]\nentries = []\n", "suite 'toy': unknown key 'seed'; did you mean 'seeds'?"),
    (SUITE + "", "suite 'toy': entries is missing"),
    (SUITE + '[[entries]]\nid = "a"\nlabel = "A"\n', "suite 'toy', entry 'a': method is missing"),
    (
        SUITE + '[[entries]]\nid = "a"\nlabel = "A"\nmethod = "cnn"\nsets = {}\n',
        "suite 'toy', entry 'a': unknown key 'sets'; did you mean 'set'?",
    ),
    (
        SUITE + '[[entries]]\nlabel = "A"\nmethod = "cnn"\nlimits = 3\n',
        "suite 'toy', entry 1: unknown key 'limits'; did you mean 'limit'?",
    ),
    (
        SUITE
        + '[[entries]]\nid = "a"\nlabel = "A"\nmethod = "cnn"\n[[entries]]\nid = "a"\nlabel = "B"\nmethod = "mlp"\n',
        "suite 'toy' has two entries called 'a'; give each an id of its own",
    ),
    (
        SUITE + 'entries = []\n[[published]]\nwhere = "p. 3"\ntest_acuracy = 0.8\n',
        "suite 'toy', published: unknown figure 'test_acuracy'; did you mean 'test_accuracy'?",
    ),
    (
        SUITE + 'entries = []\n[[published]]\nwhere = "p. 3"\ntest_accuracy = 82\n',
        "suite 'toy', published: test_accuracy is 82; give a share from 0 to 1, or seconds",
    ),
    (
        SUITE + 'entries = []\n[[published]]\nwhere = "p. 3"\ntest_accuracy = "82 %"\n',
        "suite 'toy', published: test_accuracy is '82 %'; give a share from 0 to 1, or seconds",
    ),
    (SUITE + "entries = []\n[[published]]\ntest_accuracy = 0.82\n", "suite 'toy', published: where is missing"),
    (
        SUITE + '[[entries]]\nid = "a"\nlabel = "A"\nmethod = "cnn"\nclaimed = {where = "p. 3", train_seconds = -5}\n',
        "suite 'toy', entry 'a', claimed: train_seconds is -5; give a share from 0 to 1, or seconds",
    ),
]

OVERRIDES = [
    ("epochs", "--set got 'epochs'; write key=value or 'method:key=value', such as --set epochs=5"),
    ("epochs=", "--set got 'epochs=', whose value is empty; write key=value, such as --set epochs=5"),
    ("=5", "--set got '=5'; write key=value or 'method:key=value', such as --set epochs=5"),
    ("lr=nan", "--set got 'nan' as a value; give a finite number"),
    ("cnn:lr=inf", "--set got 'inf' as a value; give a finite number"),
]

COMMANDS = [
    ("run -d hep2 -m knn", "no method matches 'knn'; did you mean 'cnn' or 'probe-knn'?"),
    ("run -d hepp -m cnn", "no data set matches 'hepp'; did you mean 'hep2'?"),
    ("run -d hep2 -m cnn --seeds a", "--seeds got 'a'; write 0, 0-2 or 0,3,5"),
    ("run -d hep2 -m cnn --seeds 0-20000", "--seeds got '0-20000'; give seeds below 10,000"),
    ("run -d hep2 -m cnn --val-limit some", "--val-limit got 'some'; write a number of images, or all"),
    (
        "run -d hep2 -m cnn --set epochs",
        "--set got 'epochs'; write key=value or 'method:key=value', such as --set epochs=5",
    ),
    ("run -d hep2 -m cnn --image-size 32", "--image-size is for folders of images, not for 'hep2'; leave it out"),
    ("list methods resnet81", "no method is called 'resnet81'; did you mean 'resnet18' or 'resnet101' or 'resnet110'?"),
    ("list suites hep", "no suite is called 'hep'; did you mean 'hep2-own' or 'depth'?"),
    ("run --suite hep", "no suite is called 'hep'; did you mean 'hep2-own' or 'depth'?"),
    ("check knn", "no method is called 'knn'; did you mean 'cnn' or 'probe-knn'?"),
    ("compare results results --fail-on a-lot", "--fail-on got 'a-lot'; write 10%, time=10% or accuracy=1%"),
    ("prepare", "prepare wants one of: a data set (`cellbench list datasets` names them), --list, --clear NAME"),
    ("run -m cnn -d hep2 --plugin nothing.py", "plug-in 'nothing.py' is not a file; give the path of a Python file"),
    (
        "inspect hep2 -o montage.jpg",
        "-o got montage.jpg; the montage is a PNG, so give the name of a file that ends in .png",
    ),
    (
        "inspect hep2 --suspect-labels -o cells.png",
        "-o got cells.png; the ranking is a CSV, so give the name of a file that ends in .csv",
    ),
    ("run --quick -m cnn", "--quick chooses the methods itself, and --method was given too; leave one of them out"),
]


def refusal(of: Any, *arguments: Any, **settings: Any) -> str:
    with pytest.raises(CellbenchError) as refused:
        of(*arguments, **settings)
    return str(refused.value)


@pytest.mark.parametrize(("method", "given", "message"), SETTINGS)
def test_a_setting_of_a_method_is_refused(method: str, given: dict[str, Any], message: str) -> None:
    assert refusal(settled, methods[method], given) == message


@pytest.mark.parametrize(("options", "message"), FOLDERS)
def test_an_option_of_a_folder_is_refused(options: dict[str, Any], message: str) -> None:
    assert refusal(FolderOptions, **options) == message


@pytest.mark.parametrize(("text", "message"), SUITES)
def test_a_suite_is_refused(text: str, message: str) -> None:
    assert refusal(parse, "toy", text) == message


@pytest.mark.parametrize(("text", "message"), OVERRIDES)
def test_what_set_is_given_is_refused(text: str, message: str) -> None:
    assert refusal(parse_override, text) == message


@pytest.mark.parametrize(("command", "message"), COMMANDS)
def test_a_value_on_the_command_line_is_refused(command: str, message: str) -> None:
    refused = CliRunner().invoke(cli, command.split(), prog_name="cellbench")
    assert isinstance(refused.exception, CellbenchError)
    assert str(refused.exception) == message
