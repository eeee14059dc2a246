/** Texts of the frame around the views. */

export const navTexts = {
  label: 'Views',
  upload: 'Upload',
  activity: 'Activity',
  files: 'Files',
  datasets: 'Datasets',
  admin: 'Facility',
} as const;

export const connectivityTexts = {
  offline: 'No network. Uploads continue automatically when the network is back.',
  unreachable: 'The server does not answer. Uploads continue automatically when it is back.',
  insecure:
    'Uploading needs https:// here: browsers compute checksums only on secure pages. Open this page by https://, or on the server itself by http://localhost.',
} as const;

export const errorTexts = {
  unknown: 'Something went wrong.',
  view: 'This view cannot be shown.',
  viewHint: 'Choose another view, or reload the page. Uploads continue in the other views.',
  requestId: (id: string) => `Request ${id}`,
} as const;
