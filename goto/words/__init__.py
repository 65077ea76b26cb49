"""The word types: values that people write in paths, queries, JSON and files, each read in one place."""

from goto.words.duration import Duration as Duration
from goto.words.headers import HeaderName as HeaderName
from goto.words.headers import HeaderNames as HeaderNames
from goto.words.headers import HeaderValue as HeaderValue
from goto.words.headers import SentHeaderName as SentHeaderName
from goto.words.names import Label as Label
from goto.words.names import Name as Name
from goto.words.names import Names as Names
from goto.words.names import Word as Word
from goto.words.names import one_line as one_line
from goto.words.names import split_known as split_known
from goto.words.numbers import CountedDuration as CountedDuration
from goto.words.numbers import CountedStatus as CountedStatus
from goto.words.numbers import Flag as Flag
from goto.words.numbers import HeadSize as HeadSize
from goto.words.numbers import HeadTime as HeadTime
from goto.words.numbers import Number as Number
from goto.words.numbers import Port as Port
from goto.words.numbers import Size as Size
from goto.words.numbers import Status as Status
from goto.words.numbers import TargetNumber as TargetNumber
from goto.words.numbers import whole_number as whole_number
from goto.words.urls import TargetUrl as TargetUrl
from goto.words.urls import http_url as http_url

__all__ = [
    "CountedDuration",
    "CountedStatus",
    "Duration",
    "Flag",
    "HeadSize",
    "HeadTime",
    "HeaderName",
    "HeaderNames",
    "HeaderValue",
    "Label",
    "Name",
    "Names",
    "Number",
    "Port",
    "SentHeaderName",
    "Size",
    "Status",
    "TargetNumber",
    "TargetUrl",
    "Word",
    "http_url",
    "one_line",
    "split_known",
    "whole_number",
]
