"""The columns of the frame of results, in order, and the type of each; docs/results-frame.md says what they hold."""

from ..core.data import PARTS
from ..core.records.runs import PHASES
from ..core.scoring.metrics import METRICS

TEXT, WHOLE, REAL, YES_NO = "object", "Int64", "float64", "bool"
COLUMNS: dict[str, str] = {
    name: kind
    for names, kind in (
        ("dataset fingerprint split preprocessing method family", TEXT),
        ("depth", WHOLE),
        ("shortcuts", "boolean"),
        ("pretrained standard", YES_NO),
        ("revision", WHOLE),
        ("params follows overrides entries", TEXT),
        ("limit val_limit seed", WHOLE),
        ("deterministic default", YES_NO),
        ("seeded", "boolean"),
        ("device machine", TEXT),
        ("threads", WHOLE),
        ("processor gpu backend status reason undertrained", TEXT),
        (" ".join(f"{part}_{metric.name}" for part in PARTS for metric in METRICS), REAL),
        ("train_n val_n test_n", WHOLE),
        ("several_labels", YES_NO),
        ("train_absent_classes val_absent_classes test_absent_classes", TEXT),
        (" ".join(f"seconds_{phase}" for phase in PHASES), REAL),
        ("val_in_fit", "boolean"),
        ("tuning_trials", WHOLE),
        ("tuning_seconds", REAL),
        ("shared", WHOLE),
        ("train_seconds others warmup_seconds predict_seconds predict_ms_per_image", REAL),
        ("support_vectors dual_objective agreement", REAL),
        ("parameters host_memory device_memory", WHOLE),
        ("input", TEXT),
        ("synthetic", YES_NO),
        ("licence groups_are", TEXT),
        ("n_train n_val n_test n_classes", WHOLE),
        ("smallest_class", TEXT),
        ("smallest_class_n", WHOLE),
        ("largest_class", TEXT),
        ("largest_class_n", WHOLE),
        ("version path", TEXT),
    )
    for name in names.split()
}
