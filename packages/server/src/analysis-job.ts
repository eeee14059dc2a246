/** The kind of the job that analyzes a published MRC file, as rows, metrics and `GET /files/{id}/jobs` have it. */
export const ANALYSIS_JOB = 'survey';
