/** What an error code of the operating system, of Node's network or of TLS means to a person. */
export interface SystemError {
  code: string
  hint: string
  /** The connection ended, or could not be made. Default: false. */
  isConnection?: boolean
  /** Fails again until a person changes something. Default: false. */
  isPermanent?: boolean
}

const certificate: SystemError = {
  code: 'certificate_not_trusted',
  hint: "Give the connection the authority's certificate, or correct the host name; only for a network you trust, set tls to 'require'.",
  isPermanent: true,
}

/** By the `code` of the error. */
export const systemErrors: Record<string, SystemError> = {
  ECONNREFUSED: { code: 'connection_refused', hint: 'Start the server there, or correct host and port.', isConnection: true },
  ENOTFOUND: { code: 'host_not_found', hint: 'Correct the host name, or look at the name service of this machine.', isConnection: true },
  EAI_AGAIN: { code: 'host_not_found', hint: 'The name service of this machine does not answer; look at its network.', isConnection: true },
  ETIMEDOUT: {
    code: 'connection_timed_out',
    hint: 'Look whether a firewall stands between, and whether the server is up.',
    isConnection: true,
  },
  EHOSTUNREACH: { code: 'host_unreachable', hint: 'Look at the network between this machine and that host.', isConnection: true },
  ENETUNREACH: { code: 'host_unreachable', hint: 'Look at the network between this machine and that host.', isConnection: true },
  ECONNRESET: { code: 'connection_lost', hint: 'Look whether the server runs and what its log says.', isConnection: true },
  ECONNABORTED: { code: 'connection_lost', hint: 'Look whether the server runs and what its log says.', isConnection: true },
  EPIPE: { code: 'connection_lost', hint: 'Look whether the server runs and what its log says.', isConnection: true },
  EADDRINUSE: { code: 'address_in_use', hint: 'Choose another port, or end the process that listens there.' },
  ENOENT: { code: 'file_not_found', hint: 'Correct the path, or put the file there.' },
  EACCES: { code: 'access_denied', hint: 'Give the user that Rota runs as the right to this path.' },
  EPERM: { code: 'access_denied', hint: 'Give the user that Rota runs as the right to do this.' },
  EROFS: { code: 'read_only_file_system', hint: 'Choose a folder that can be written.' },
  ENOSPC: { code: 'disk_full', hint: 'Free space on that disk.' },
  EDQUOT: { code: 'disk_full', hint: 'Free space, or raise the quota of the user that Rota runs as.' },
  EEXIST: { code: 'file_exists', hint: 'Remove it, or choose another name.' },
  EISDIR: { code: 'not_a_file', hint: 'Name a file: this is a folder.' },
  ENOTDIR: { code: 'not_a_folder', hint: 'Name a folder: a part of this path is a file.' },
  ENOTEMPTY: { code: 'folder_not_empty', hint: 'Empty the folder, or choose another.' },
  EBUSY: { code: 'file_in_use', hint: 'Close the program that holds it.' },
  EXDEV: { code: 'other_file_system', hint: 'Choose a folder on the same file system.' },
  EMFILE: { code: 'too_many_open_files', hint: 'Raise the limit of open files (ulimit -n) for the user that Rota runs as.' },
  ENFILE: { code: 'too_many_open_files', hint: 'Raise the limit of open files of this machine.' },
  ENOMEM: { code: 'out_of_memory', hint: 'Give the machine more memory, or run less at once (ROTA_CONCURRENCY).' },
  ENAMETOOLONG: { code: 'name_too_long', hint: 'Shorten the name or the path.', isPermanent: true },
  ABORT_ERR: { code: 'aborted', hint: 'It was asked to stop, by a person, a timeout or a shutdown.' },
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  CERT_HAS_EXPIRED: certificate,
  CERT_NOT_YET_VALID: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: certificate,
}
