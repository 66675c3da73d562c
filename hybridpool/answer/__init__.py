"""What trained networks answer: the same picture through networks that differ in their pooling."""

from hybridpool.answer.change import ACTIONS, Change
from hybridpool.answer.curves import AnswerCurve, answer_curve, kind_of
from hybridpool.answer.imagenet import (
    IMAGENET_SIDE,
    ImageNetNetwork,
    imagenet_answers,
    imagenet_network,
)
from hybridpool.answer.many import measured
from hybridpool.answer.networks import (
    ARMS_SHOWN,
    Network,
    UnfitNetworkError,
    network_files,
    read_fit_network,
)
from hybridpool.answer.picture import KNOWN, OUTSIDE, as_seen, middle_square, test_pictures
from hybridpool.answer.places import Places, places
from hybridpool.answer.program import Program, program_of
from hybridpool.answer.run import Answer, answer, answers, dialled
from hybridpool.answer.stages import OpenStage, Stage, open_stage, stages

__all__ = [
    "ACTIONS",
    "ARMS_SHOWN",
    "IMAGENET_SIDE",
    "KNOWN",
    "OUTSIDE",
    "Answer",
    "AnswerCurve",
    "Change",
    "ImageNetNetwork",
    "Network",
    "OpenStage",
    "Places",
    "Program",
    "Stage",
    "UnfitNetworkError",
    "answer",
    "answer_curve",
    "answers",
    "as_seen",
    "dialled",
    "imagenet_answers",
    "imagenet_network",
    "kind_of",
    "measured",
    "middle_square",
    "network_files",
    "open_stage",
    "places",
    "program_of",
    "read_fit_network",
    "stages",
    "test_pictures",
]
