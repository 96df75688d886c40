/** Reads the folder jobs/: every file is a job, its name is the job's name. Nothing else registers one. */
import { readdir } from 'node:fs/promises'
import { PermanentError } from '../systemscripts/errors.ts'
import { readJobNames } from './control-plane/job-names.ts'
import type { Job } from './job/define-job.ts'

const jobsFolder = new URL('../jobs/', import.meta.url)

/** @throws PermanentError job_misnamed */
export async function loadJobs(folder: URL = jobsFolder): Promise<Map<string, Job>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort()
  const jobs = new Map<string, Job>()
  for (const fileName of names) {
    const module: { default?: Job } = await import(new URL(fileName, folder).href)
    const job = module.default
    const expected = fileName.slice(0, -'.ts'.length)
    if (job?.name !== expected) {
      throw new PermanentError('job_misnamed', `File jobs/${fileName} holds no job "${expected}"`, {
        detail: job ? `It declares "${job.name}".` : 'It has no default export.',
        hint: "Export defineJob({ name: … }) as default, with the file's name.",
      })
    }
    jobs.set(job.name, job)
  }
  return jobs
}

/** How the files in jobs/ and the rows of dba.job differ, one sentence each; empty when they agree. */
export async function compareJobs(
  jobs: Map<string, Job>,
  query: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>,
): Promise<string[]> {
  const rows = await readJobNames(query)
  const withoutRow = [...jobs.keys()]
    .filter((name) => !rows.has(name))
    .map((name) => `Job "${name}" has a file in jobs/ and no row in dba.job: its migration is missing.`)
  const withoutFile = [...rows]
    .filter((name) => !jobs.has(name))
    .map((name) => `Job "${name}" has a row in dba.job and no file in jobs/ here: this Rota is older than the database.`)
  return [...withoutRow, ...withoutFile]
}
