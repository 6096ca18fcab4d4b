"""Spreadsheet: a table of notes in, every row back with its answers, and what they hold as a whole."""

from app.edge import calm
from app.sign_in.admission import admit
from app.spreadsheet_options import show_options
from app.spreadsheet_results import ResultView
from app.spreadsheet_run import show_ended_early, show_progress
from app.spreadsheet_tables import job_on_page, own_jobs, show_earlier, show_head, show_upload
from app.text import Voice, voice
from core.bulk.job_run import state_of
from core.bulk.jobs import Job

admit("spreadsheet")


def show_job(job: Job, say: Voice) -> None:
    """One table, wherever it stands between its upload and its result."""
    show_head(job, say)
    state = state_of(job)
    if state == "running":
        show_progress(job, say)
    elif state == "done" and job.choice:
        ResultView(job, job.choice, say).show()
    elif state == "new":
        show_options(job, say)
    else:
        show_ended_early(job, state, say)


say = voice()
with calm(say, say("This can't be shown now.")):
    jobs = own_jobs()
    job = job_on_page(jobs)
    if job is None:
        show_upload(jobs, say)
        show_earlier(jobs, say)
    else:
        show_job(job, say)
