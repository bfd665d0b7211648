"""A first plan for somebody's files: what is in them, what fits them and why, and the plan as a commented TOML file."""

from polytag.initialise.choosing import Choice as Choice
from polytag.initialise.choosing import Speed as Speed
from polytag.initialise.choosing import choose as choose
from polytag.initialise.looking import ENTITIES as ENTITIES
from polytag.initialise.looking import Seen as Seen
from polytag.initialise.looking import guessed_name as guessed_name
from polytag.initialise.looking import kind_of as kind_of
from polytag.initialise.looking import look as look
from polytag.initialise.plan_text import ANY as ANY
from polytag.initialise.plan_text import TaskChoice as TaskChoice
from polytag.initialise.plan_text import check_files as check_files
from polytag.initialise.plan_text import check_language as check_language
from polytag.initialise.plan_text import check_name as check_name
from polytag.initialise.plan_text import plan_text as plan_text
from polytag.initialise.plan_text import write_plan as write_plan
